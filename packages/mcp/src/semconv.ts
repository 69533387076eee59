/**
 * The names that spans carry and what they mean, and how texts and costs are spelled in them: all that other packages may use where they must not
 * load the MCP server.
 */
export {
  agentopsKinds,
  kindsByDeclaration,
  kindsByNamePattern,
  kindsByOperation,
  kindsBySuffix,
  nameDecoration,
} from "./trace/agentops-kind.js";
export { attributeKeys, endStates, MAX_SPAN_COST_USD, MAX_SPAN_TOKENS } from "./trace/semconv.js";
export { spellingsOf } from "./trace/spellings.js";
export { roundUsd, USD_DECIMALS } from "./trace/usd.js";
