/** As they stand in a URL. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** True if only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return loopbackHosts.includes(urlHost(host));
}

/** A host as it stands in a URL. */
function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** An address as people write it. */
export function placeAt({ host, port }: Address): string {
  return `${urlHost(host)}:${port}`;
}

/** Where a server that listens there is reached from this machine: on all addresses, by the loopback one. */
export function reachableUrl({ host, port }: Address): string {
  return `http://${placeAt({ host: isEveryAddress(host) ? "127.0.0.1" : host, port })}`;
}

/** True if a server that listens on `host` and `port` is what the URL leads to. */
export function leadsTo(url: string, { host, port }: Address): boolean {
  const { hostname, port: urlPort, protocol } = new URL(url);
  const defaultPort = protocol === "https:" ? 443 : 80;
  if (Number(urlPort || defaultPort) !== port) return false;
  const isLocal = isLoopback(host) || isEveryAddress(host);
  return hostname === urlHost(host) || (isLocal && loopbackHosts.includes(hostname));
}

function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
