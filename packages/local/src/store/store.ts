import { StartError, systemCode } from "../start-error.js";
import { type Database, openDatabase, placeOf, type StoreLocation } from "./database.js";
import { DiskFullError } from "./disk-space.js";
import { type Expired, removeExpired } from "./expiry.js";
import type { Layout } from "./layout.js";
import { migrate } from "./migrate.js";
import {
  type ProjectMetrics,
  type ProjectMetricsQuery,
  readProjectMetrics,
} from "./project-metrics.js";
import { defaultProject, namedProjects, type Projects, storedProjects } from "./projects.js";
import { encodeSpans } from "./row-binary.js";
import {
  readSpanGroups,
  type SpanGroupPage,
  type SpanGroupPosition,
  type SpanGroupQuery,
} from "./span-groups.js";
import { openSpanLog } from "./span-log.js";
import {
  countNestedUsage,
  type MetricsQuery,
  type MetricsRow,
  readMetrics,
} from "./span-metrics.js";
import type { SpanGroup } from "./span-record.js";
import { type SpanQuery, searchSpans } from "./span-search.js";
import { createSpanWriter } from "./span-writer.js";
import {
  readSpan,
  readSpanUsage,
  readTraceHeads,
  readTraceSpans,
  type SpanBody,
  type SpanUsage,
  type StoredSpan,
  type TraceHead,
} from "./spans.js";
import { createTraceList, type ListTraces } from "./trace-list.js";
import type { TraceSums } from "./trace-sums.js";
import { countSpans, readTrace, type SpanCounts } from "./traces.js";
import { addUpload, readUpload, type Upload, type UploadKind } from "./uploads.js";

export interface DatabaseInfo {
  readonly kind: Layout["kind"];
  /** Of ClickHouse. */
  readonly version: string;
}

/** Traces on disk. Everything but the projects themselves is seen through one project. */
export interface Store {
  readonly projects: Projects;
  /** Asks the database itself. */
  database(): Promise<DatabaseInfo>;
  /** Resolves once every span is on disk; a span that is there already is not stored again. */
  addSpans(projectId: string, groups: readonly SpanGroup[]): Promise<void>;
  /** Spans of whole traces as they were added, newest first, from where a page ended. */
  spanGroups(
    projectId: string,
    query: SpanGroupQuery,
    after?: SpanGroupPosition,
  ): Promise<SpanGroupPage>;
  readonly listTraces: ListTraces;
  /** By project; one without spans is not among them. */
  spanCounts(projectIds: readonly string[]): Promise<ReadonlyMap<string, SpanCounts>>;
  trace(projectId: string, traceId: string): Promise<TraceSums | undefined>;
  /** By start time, in pages; none where there is no such trace. */
  traceSpans(projectId: string, traceId: string): AsyncIterable<StoredSpan[]>;
  /** The same without what may be long. */
  traceHeads(projectId: string, traceId: string): AsyncIterable<TraceHead[]>;
  span(projectId: string, spanId: string): Promise<SpanBody | undefined>;
  spanUsage(projectId: string, spanId: string): Promise<SpanUsage | undefined>;
  /** Resolves once it is on disk; one of the same kind and id is replaced. */
  addUpload(projectId: string, upload: Upload): Promise<void>;
  upload(projectId: string, kind: UploadKind, id: string): Promise<Uint8Array | undefined>;
  searchSpans(projectId: string, query: SpanQuery): Promise<StoredSpan[]>;
  metrics(projectId: string, query: MetricsQuery): Promise<MetricsRow[]>;
  /** Of the traces named in a query of metrics; undefined where none are. */
  nestedUsageCount(projectId: string, query: MetricsQuery): Promise<number | undefined>;
  projectMetrics(projectId: string, query: ProjectMetricsQuery): Promise<ProjectMetrics>;
  /** Removes traces whose last span started before that, of all projects, and what was uploaded before it. */
  removeExpired(beforeUnixNano: bigint): Promise<Expired>;
  /** Writes what is waiting and closes the engine. */
  close(): Promise<void>;
}

/**
 * Opens the store, and makes what is not there yet: the data folder, the tables, the default project.
 *
 * @throws {StartError} when it cannot be opened, because another process has it open, above all.
 */
export async function openStore(location: StoreLocation): Promise<Store> {
  const database = await openDatabase(location);
  const readOnly = location.clickHouse?.readOnly;
  const projects = readOnly ? namedProjects(readOnly.projects) : storedProjects(database);
  if (!readOnly) {
    await prepare(database, projects).catch(async (error) => {
      await database.close();
      throw isDamage(location, error) ? damaged(location, error) : error;
    });
  }

  const log = await openSpanLog(database);
  const writer = createSpanWriter(log);

  return {
    projects,
    async database() {
      const [row] = await database.read<{ version: string }>("SELECT version() AS version");
      return { kind: database.layout.kind, version: row?.version ?? "" };
    },
    addSpans: (projectId, groups) => writer.write(encodeSpans(projectId, groups)),
    spanGroups: (projectId, query, after) =>
      readSpanGroups(database, projectId, { ...query, after }),
    listTraces: createTraceList(database),
    spanCounts: (projectIds) => countSpans(database, projectIds),
    trace: (projectId, traceId) => readTrace(database, projectId, traceId),
    traceSpans: (projectId, traceId) => readTraceSpans(database, { projectId, traceId }),
    traceHeads: (projectId, traceId) => readTraceHeads(database, { projectId, traceId }),
    span: (projectId, spanId) => readSpan(database, { projectId, spanId }),
    spanUsage: (projectId, spanId) => readSpanUsage(database, { projectId, spanId }),
    addUpload: (projectId, upload) => addUpload(database, projectId, upload),
    upload: (projectId, kind, id) => readUpload(database, projectId, { kind, id }),
    searchSpans: (projectId, query) => searchSpans(database, projectId, query),
    metrics: (projectId, query) => readMetrics(database, projectId, query),
    nestedUsageCount: (projectId, query) => countNestedUsage(database, projectId, query),
    projectMetrics: (projectId, query) => readProjectMetrics(database, projectId, query),
    // A span that comes in between would be missed by some tables and not by others.
    removeExpired: (before) => writer.between(() => removeExpired(database, before)),
    async close() {
      await writer.flush();
      await database.close();
    },
  };
}

async function prepare(database: Database, projects: Projects): Promise<void> {
  await migrate(database);
  if (!(await projects.byId(defaultProject.id))) await projects.add(defaultProject);
}

/** The folder is this program's alone: what does not work there was changed by something else. */
function isDamage({ clickHouse }: StoreLocation, error: unknown): boolean {
  return !clickHouse && !(error instanceof StartError || error instanceof DiskFullError);
}

function damaged(location: StoreLocation, cause: unknown): StartError {
  return new StartError(
    `The database in ${placeOf(location)} is damaged: it opens, and its tables do not (${systemCode(cause)}). Restore the folder from a copy, or choose another --data-dir.`,
    { cause },
  );
}
