import { endStates } from "mcp-server-agentops-api/semconv";
import { attribute } from "./derived-columns.js";
import { quoted } from "./quoted.js";

/** `unknown`: nothing failed, but nothing said that it went well either. */
export type TraceStatus = "ok" | "failed" | "unknown";

/** Added for a root: what it says, or leaves unsaid, overrules the spans below it. */
const ROOT = 4;

/**
 * Of one span; a trace has the greatest, whatever the order. A number, because of 500,000 traces that is
 * found in 3 ms, where the text of their roots takes 350.
 */
export const endState = `transform(
    ${attribute("agentops.session.end_state")},
    [${Object.keys(endStates).map(quoted).join(", ")}],
    [${Object.values(endStates).join(", ")}],
    0
  ) + if(ParentSpanId = '', ${ROOT}, 0)`;

const endedWith = (state: keyof typeof endStates) =>
  `max(EndState) % ${ROOT} = ${endStates[state]}`;

/** Of a trace, from its summary. The rule is that of the MCP server (`packages/mcp/src/trace/summary.ts`). */
export const traceStatus = `multiIf(
    ${endedWith("Success")}, 'ok',
    ${endedWith("Fail")} OR sum(ErrorCount) > 0, 'failed',
    sum(OkCount) > 0 AND NOT ${endedWith("Indeterminate")}, 'ok',
    'unknown'
  )`;
