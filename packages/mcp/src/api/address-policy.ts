import { lookup as resolve } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { ApiError } from "./errors.js";

/**
 * Resolves a name and refuses it if any of its addresses is not a public one. It runs inside the
 * connection attempt, on the very addresses that are connected to, so a name that resolves
 * differently the next time (DNS rebinding) gains nothing.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, "", 0);
    if (!addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(privateAddress(), "", 0);
    }
    if (options.all) return callback(null, addresses);

    const [first] = addresses;
    callback(null, first?.address ?? "", first?.family ?? 0);
  });
};

/** Addresses written into the URL are never looked up, so they are checked on their own. */
export function requirePublicHost({ hostname }: URL): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) && !isPublicAddress(address)) throw privateAddress();
}

/** True for addresses of the public internet; false for every reserved, private or local range. */
export function isPublicAddress(address: string): boolean {
  // `process` unwraps IPv4 addresses mapped into IPv6.
  return ipaddr.process(address).range() === "unicast";
}

function privateAddress(): ApiError {
  return new ApiError(
    "url_not_allowed",
    "The AgentOps API URL leads to a private or local network address.",
    "Add the URL to AGENTOPS_ALLOWED_API_URLS where the server is configured.",
  );
}
