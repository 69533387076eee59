import type { LookupAddress } from "node:dns";
import { describe, expect, test, vi } from "vitest";
import { isPublicAddress, lookupPublic } from "../../src/api/address-policy.js";
import { openAgentOps } from "../../src/api/agentops.js";
import { openFaultServer } from "./fault-server.js";
import { apiKey, codeOf, never, scriptBearerGeneration } from "./scripts.js";

describe("an address", () => {
  test.each(["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111"])(
    "%s is public",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
  ])("%s is not", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe("where only public addresses may be read", () => {
  async function readFrom(host: string, exceptBaseUrls: readonly string[] = []) {
    await using server = await openFaultServer();
    scriptBearerGeneration(server);
    const baseUrl = server.url.replace("127.0.0.1", host);
    const exceptions = exceptBaseUrls.map((url) => url.replace("PORT", new URL(baseUrl).port));
    const agentOps = openAgentOps({
      userAgent: "test",
      publicAddressesOnly: { exceptBaseUrls: exceptions },
    });
    const read = agentOps.client({ baseUrl, apiKey }).listTraces({ limit: 1 }, never);
    const outcome = await codeOf(read.then(() => Promise.reject(new Error("it was read")))).catch(
      () => "read",
    );
    return { outcome, connections: server.connectionCount };
  }

  test.each(["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"])(
    "%s is refused before anything connects",
    async (host) => {
      expect(await readFrom(host)).toEqual({ outcome: "url_not_allowed", connections: 0 });
    },
  );

  test.each(["127.0.0.1", "localhost"])(
    "%s is read if it was named as an exception",
    async (host) => {
      expect(await readFrom(host, [`http://${host}:PORT`])).toMatchObject({ outcome: "read" });
    },
  );

  test("an exception for one port is none for another", async () => {
    expect((await readFrom("localhost", ["http://localhost:1"])).outcome).toBe("url_not_allowed");
  });

  test("a redirect to a private address is refused too", async () => {
    await using inner = await openFaultServer();
    await using outer = await openFaultServer();
    scriptBearerGeneration(outer);
    outer.on("GET /v4/traces", { status: 302, headers: { location: `${inner.url}/secrets` } });
    const agentOps = openAgentOps({
      userAgent: "test",
      publicAddressesOnly: { exceptBaseUrls: [outer.url] },
    });
    const client = agentOps.client({ baseUrl: outer.url, apiKey });
    expect(await codeOf(client.listTraces({ limit: 1 }, never))).toBe("url_not_allowed");
    expect(inner.connectionCount).toBe(0);
  });
});

/** What each lookup of a made-up name finds, in order: no real resolver changes its mind on demand. */
const scriptedAnswers = vi.hoisted(() => new Map<string, string[][]>());

vi.mock("node:dns", async (importOriginal) => {
  const dns = await importOriginal<typeof import("node:dns")>();
  const lookup: typeof dns.lookup = Object.assign((...args: Parameters<typeof lookupPublic>) => {
    const [hostname, options, callback] = args;
    const addresses = scriptedAnswers.get(hostname)?.shift();
    if (!addresses) return dns.lookup(hostname, options, callback);
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  }, dns.lookup);
  return { ...dns, lookup };
});

describe("a name whose addresses change (DNS rebinding)", () => {
  function lookUp(hostname: string): Promise<string | LookupAddress[]> {
    return new Promise((resolve, reject) => {
      lookupPublic(hostname, { all: true }, (error, addresses) =>
        error ? reject(error) : resolve(addresses),
      );
    });
  }

  test("is connected to at the addresses that were checked, and checked again the next time", async () => {
    scriptedAnswers.set("rebinding.test", [["1.1.1.1"], ["127.0.0.1"]]);
    expect(await lookUp("rebinding.test")).toEqual([{ address: "1.1.1.1", family: 4 }]);
    expect(await codeOf(lookUp("rebinding.test"))).toBe("url_not_allowed");
  });

  test("is refused if only one of them is private", async () => {
    scriptedAnswers.set("mixed.test", [["1.1.1.1", "10.0.0.1"]]);
    expect(await codeOf(lookUp("mixed.test"))).toBe("url_not_allowed");
  });

  test("is looked up once for each connection, by the check itself", async () => {
    await using server = await openFaultServer();
    scriptBearerGeneration(server);
    const baseUrl = server.url.replace("127.0.0.1", "once.test");
    // A second lookup would find what the first one did not.
    scriptedAnswers.set("once.test", [["10.0.0.1"], ["127.0.0.1"]]);
    const publicAddressesOnly = { exceptBaseUrls: [] };
    const agentOps = openAgentOps({ userAgent: "test", publicAddressesOnly });
    const client = agentOps.client({ baseUrl, apiKey });

    expect(await codeOf(client.listTraces({ limit: 1 }, never))).toBe("url_not_allowed");
    expect(scriptedAnswers.get("once.test")).toHaveLength(1);
    expect(server.connectionCount).toBe(0);
  });
});
