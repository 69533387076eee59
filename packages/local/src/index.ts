export { type SampleOptions, sendSampleRuns } from "./sample/send.js";
export { type RunningServer, type ServerOptions, startServer } from "./server.js";
