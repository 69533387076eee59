import { z } from "zod";
import { agentopsCloud, type CloudUrls } from "./forward/cloud.js";
import { leadsTo } from "./host.js";
import { httpUrl } from "./http-url.js";
import { ConfigError } from "./start-error.js";

const forwardRule =
  '--forward (AGENTOPS_LOCAL_FORWARD) must be an http(s) URL without credentials or "cloud", --forward-exporter (AGENTOPS_LOCAL_FORWARD_EXPORTER) such a URL.';

const forwardUrl = httpUrl(forwardRule).transform((url) => url.replace(/\/+$/, ""));

/** What the settings say of it. */
export const forwardFields = {
  forward: z.union([z.literal("cloud"), forwardUrl], forwardRule).optional(),
  forwardExporter: forwardUrl.optional(),
};

interface Forwarding {
  readonly forward?: string | undefined;
  readonly forwardExporter?: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** @throws {ConfigError} when what arrives would come back, or go nowhere. */
export function cloudUrlsOf({
  forward,
  forwardExporter,
  ...server
}: Forwarding): CloudUrls | undefined {
  if (forward === undefined) {
    if (forwardExporter === undefined) return undefined;
    throw new ConfigError("--forward-exporter goes with --forward, which says where the API is.");
  }
  const urls = forward === "cloud" ? agentopsCloud : { api: forward, exporter: forward };
  const { api, exporter } = { ...urls, ...(forwardExporter && { exporter: forwardExporter }) };
  if ([api, exporter].some((url) => leadsTo(url, server))) {
    throw new ConfigError(
      "--forward leads to this server itself: give another AgentOps, or another --port.",
    );
  }
  return { api, exporter };
}
