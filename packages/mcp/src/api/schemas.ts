import * as z from "zod";

/**
 * The shapes of AgentOps' answers, as far as we read them. Fields that some server leaves out are
 * optional, unknown ones are ignored, and attributes are left as they are: there are many, and
 * flattening them looks at each one anyway.
 */

const text = z.string().nullish();
const count = z.number().catch(0);
/** Costs are decimal text in metrics, and numbers in older servers. */
const costUsd = z.coerce.number().catch(0);

export const spanSchema = z.object({
  span_id: z.string(),
  parent_span_id: text,
  span_name: text,
  span_kind: text,
  service_name: text,
  /** ISO 8601; without an offset it is UTC. */
  start_time: z.string(),
  end_time: text,
  /** Nanoseconds. */
  duration: z.number().nullish(),
  status_code: text,
  status_message: text,
  attributes: z.unknown().optional(),
  span_attributes: z.unknown().optional(),
  resource_attributes: z.unknown().optional(),
  event_timestamps: z.array(z.string()).nullish(),
  event_names: z.array(z.string()).nullish(),
  event_attributes: z.array(z.unknown()).nullish(),
  link_trace_ids: z.array(z.string()).nullish(),
  link_span_ids: z.array(z.string()).nullish(),
  link_attributes: z.array(z.unknown()).nullish(),
  freeplan_truncated: z.boolean().nullish(),
});

export const traceSchema = z.object({
  trace_id: z.string(),
  project_id: text,
  tags: z.array(z.string()).nullish().catch(undefined),
  freeplan_truncated: z.boolean().nullish(),
  spans: z.array(spanSchema),
  /** Where a trace is read span by span: the spans that could not be read. */
  span_errors: z.array(z.object({ span_id: z.string() })).nullish(),
});

export const metricsSchema = z.object({
  span_count: count,
  success_count: count,
  fail_count: count,
  indeterminate_count: count,
  prompt_tokens: count,
  completion_tokens: count,
  cache_read_input_tokens: count,
  reasoning_tokens: count,
  total_tokens: count,
  prompt_cost: costUsd,
  completion_cost: costUsd,
  total_cost: costUsd,
});

/** `/public/v1` describes spans without their attributes. Kept whole, because it is passed on. */
export const summarySchema = z.looseObject({
  trace_id: z.string(),
  spans: z.array(z.looseObject({ span_id: z.string() })),
});

const maybeCount = z.number().nullish().catch(undefined);

/** A row keeps every field that the server sent, because it may be passed on. */
export const rowSchema = z.looseObject({
  trace_id: z.string(),
  root_span_name: text.catch(undefined),
  tags: z.array(z.string()).nullish().catch(undefined),
  start_time: z.string(),
  end_time: text.catch(undefined),
  /** Nanoseconds. */
  duration: maybeCount,
  span_count: maybeCount,
  error_count: maybeCount,
  total_cost: z.coerce.number().nullish().catch(undefined),
  /** Spans with tokens but no cost; only our own servers count them. */
  unpriced_count: maybeCount,
});

export const listSchema = z.object({ traces: z.array(rowSchema), total: maybeCount });

export const logSchema = z.object({
  content: z.string(),
  freeplan_truncated: z.boolean().nullish(),
});

/** How today's SDK wraps the text it uploads; older ones uploaded a JSON string. */
export const logBodySchema = z.union([
  z.object({ body: z.string() }).transform(({ body }) => body),
  z.string(),
]);

/** Any object, passed on as it is. */
export const objectSchema = z.record(z.string(), z.unknown());

/** The part of a detail answer that holds its sums. */
export const detailMetricsSchema = z.object({ metrics: metricsSchema });

/** Our own servers say in `/health` what they offer beyond AgentOps; AgentOps itself does not. */
export const healthSchema = z.object({ capabilities: z.array(z.string()) });

/** A page of found spans; of each only where it is, for its trace tells the rest. */
export const spanPageSchema = z.object({
  spans: z.array(z.object({ trace_id: z.string() })),
  next_cursor: text,
});

const figures = z.object({ p50: count, p95: count, p99: count, max: count });

/** Figures that a database added up. */
export const spanMetricsSchema = z.object({
  /** Spans whose usage, or whose being a call, only the tree of their trace can tell. */
  nested_count: z.number().nullish(),
  rows: z.array(
    z.object({
      key: text,
      count: z.number(),
      error_count: z.number(),
      duration_ns: figures,
      prompt_tokens: count,
      completion_tokens: count,
      cache_read_input_tokens: count,
      total_tokens: count,
      total_cost: z.number().nullish(),
      unpriced_count: count,
    }),
  ),
});

export type WireSpan = z.output<typeof spanSchema>;
export type WireTrace = z.output<typeof traceSchema>;
export type WireMetricsRow = z.output<typeof spanMetricsSchema>["rows"][number];
export type WireMetrics = z.output<typeof metricsSchema>;
export type WireRow = z.output<typeof rowSchema>;
export type WireSummary = z.output<typeof summarySchema>;
