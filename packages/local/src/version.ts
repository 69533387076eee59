/** Set by the build from package.json; absent when run from source. */
declare const AGENTOPS_LOCAL_VERSION: string | undefined;

export const version =
  typeof AGENTOPS_LOCAL_VERSION === "undefined" ? "0.0.0-source" : AGENTOPS_LOCAL_VERSION;
