import { compareTraces } from "./compare-traces.js";
import type { Tool } from "./define-tool.js";
import { diagnoseTrace } from "./diagnose-trace.js";
import { findFailures } from "./find-failures.js";
import { getSpans } from "./get-spans.js";
import { listTraces } from "./list-traces.js";
import { searchSpans } from "./search-spans.js";
import { traceDetail } from "./trace-detail.js";
import { traceLogs } from "./trace-logs.js";
import { traceMetrics } from "./trace-metrics.js";
import { waitForTrace } from "./wait-for-trace.js";

/** Every tool, in the order of `tools/list` and of the docs. */
export const tools: readonly Tool[] = [
  listTraces,
  traceDetail,
  getSpans,
  searchSpans,
  diagnoseTrace,
  compareTraces,
  traceMetrics,
  findFailures,
  traceLogs,
  waitForTrace,
];
