/**
 * Stands in the bundle for the SDK's own choice of a JSON Schema validator, which compiles for 30 ms at every
 * start. Nothing here is validated with either: the tools check their arguments themselves.
 */
export { default as process } from "node:process";
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";
