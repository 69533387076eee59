/**
 * What the official conformance suite calls by name: tools, resources and prompts with texts that it
 * prescribes. None of it ships; it is registered on the very server that our own factory makes.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  completable,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequiredResult,
  type InputRequiredSpec,
  inputRequired,
  inputResponse,
  type McpServer,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";

/** One red pixel, and the shortest WAV file. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

const image = { type: "image", data: PNG, mimeType: "image/png" } as const;
const text = (content: string) => ({ type: "text", text: content }) as const;
const embedded = (uri: string, mimeType: string, content: string) =>
  ({ type: "resource", resource: { uri, mimeType, text: content } }) as const;

type Handler = (
  context: ServerContext,
) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>;

export function registerConformanceFixture(server: McpServer): McpServer {
  server.server.registerCapabilities({ logging: {} });
  // The SDK takes this only when a server is made, and our tools keep no state that would need it.
  Object.assign(server.server, { _requestStateVerify: codec.verify });
  for (const [name, run] of Object.entries({ ...contentTools, ...inputTools })) {
    server.registerTool(name, { description: name, inputSchema: z.object({}) }, (_, context) =>
      run(context),
    );
  }
  registerSchemaTools(server);
  registerResources(server);
  registerPrompts(server);
  return server;
}

const contentTools: Readonly<Record<string, Handler>> = {
  test_simple_text: () => ({ content: [text("This is a simple text response for testing.")] }),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  test_embedded_resource: () => ({
    content: [
      embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      text("Multiple content types test:"),
      image,
      embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
  }),
  test_error_handling: () => {
    throw new Error("This tool intentionally returns an error for testing");
  },
  test_tool_with_logging: logThrice,
  test_logging_tool: logThrice,

  async test_tool_with_progress({ mcpReq }) {
    const { progressToken } = mcpReq._meta ?? {};
    for (const progress of [0, 50, 100]) {
      await delay(50);
      if (progressToken === undefined) continue;
      const params = { progressToken, progress, total: 100 };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return { content: [text("done")] };
  },

  // Asking is an error of its own for a client that did not say it can answer.
  test_missing_capability: () =>
    inputRequired({ inputRequests: { greeting: sample("Generate a greeting", 50) } }),
};

async function logThrice({ mcpReq }: ServerContext): Promise<CallToolResult> {
  for (const data of ["started", "processing data", "completed"]) {
    await mcpReq.log("info", `Tool execution ${data}`);
    await delay(50);
  }
  return { content: [text("done")] };
}

const envelope = z.object({ [CLIENT_CAPABILITIES_META_KEY]: z.looseObject({}) });

function capabilitiesOf(mcpReq: ServerContext["mcpReq"]): object {
  return envelope.safeParse(mcpReq.envelope).data?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

const codec = createRequestStateCodec<string>({ key: "k".repeat(32) });
const anyText = (name: string) => z.object({ [name]: z.string() });
const elicit = (message: string, field: string) =>
  inputRequired.elicit({ mode: "form", message, requestedSchema: anyText(field) });
const sample = (content: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(content) }], maxTokens });

/** Asks until all keys are answered. */
function askFor(
  { mcpReq }: ServerContext,
  inputRequests: NonNullable<InputRequiredSpec["inputRequests"]>,
): InputRequiredResult | undefined {
  const isMissing = (key: string) => inputResponse(mcpReq.inputResponses, key).kind === "missing";
  return Object.keys(inputRequests).some(isMissing) ? inputRequired({ inputRequests }) : undefined;
}

const inputTools: Readonly<Record<string, Handler>> = {
  test_input_required_result_elicitation: ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, "user_name", anyText("name"));
    if (answer) return { content: [text(`Hello, ${answer.name}!`)] };
    return inputRequired({ inputRequests: { user_name: elicit("What is your name?", "name") } });
  },
  test_streaming_elicitation: (context) =>
    askFor(context, { user_name: elicit("What is your name?", "name") }) ?? {
      content: [text("done")],
    },
  test_input_required_result_sampling: (context) =>
    askFor(context, { capital_question: sample("What is the capital of France?", 100) }) ?? {
      content: [text(JSON.stringify(context.mcpReq.inputResponses))],
    },
  test_input_required_result_list_roots: (context) =>
    askFor(context, { client_roots: inputRequired.listRoots() }) ?? {
      content: [text(JSON.stringify(context.mcpReq.inputResponses))],
    },
  test_input_required_result_capabilities: (context) => {
    const supported = capabilitiesOf(context.mcpReq);
    return (
      askFor(context, {
        ...("sampling" in supported && { greeting: sample("Generate a greeting", 50) }),
        ...("elicitation" in supported && { user_name: elicit("What is your name?", "name") }),
      }) ?? { content: [text("done")] }
    );
  },

  async test_input_required_result_request_state({ mcpReq }) {
    if (mcpReq.requestState() === "asked") return { content: [text("state-ok")] };
    return inputRequired({
      inputRequests: {
        confirm: inputRequired.elicit({
          mode: "form",
          message: "Please confirm",
          requestedSchema: z.object({ ok: z.boolean() }),
        }),
      },
      requestState: await codec.mint("asked"),
    });
  },
  async test_input_required_result_tampered_state({ mcpReq }) {
    if (mcpReq.requestState() === "asked") return { content: [text("state-ok")] };
    return inputRequired({
      inputRequests: { confirm: elicit("Please confirm", "ok") },
      requestState: await codec.mint("asked"),
    });
  },
  async test_input_required_result_multiple_inputs({ mcpReq }) {
    if (mcpReq.requestState() === "asked") return { content: [text("all answered")] };
    return inputRequired({
      inputRequests: {
        user_name: elicit("What is your name?", "name"),
        greeting: sample("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await codec.mint("asked"),
    });
  },
  async test_input_required_result_multi_round({ mcpReq }) {
    const state = mcpReq.requestState();
    if (state === "second") return { content: [text("both answered")] };
    const [next, request] =
      state === "first"
        ? (["second", { step2: elicit("Step 2: What is your favorite color?", "color") }] as const)
        : (["first", { step1: elicit("Step 1: What is your name?", "name") }] as const);
    return inputRequired({ inputRequests: request, requestState: await codec.mint(next) });
  },
};

function registerSchemaTools(server: McpServer): void {
  const done = () => ({ content: [text("done")] });
  const schema2020 = fromJsonSchema({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: {
      address: {
        $anchor: "addressDef",
        type: "object",
        properties: { street: { type: "string" }, city: { type: "string" } },
      },
    },
    properties: {
      name: { type: "string" },
      address: { $ref: "#/$defs/address" },
      contactMethod: { type: "string", enum: ["phone", "email"] },
      phone: { type: "string" },
      email: { type: "string" },
    },
    allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
    if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword.
    then: { required: ["phone"] },
    else: { required: ["email"] },
    additionalProperties: false,
  });
  const headerSchema = z.object({
    region: z.string().optional().meta({ "x-mcp-header": "Region" }),
  });
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "Keeps its schema", inputSchema: schema2020 },
    done,
  );
  server.registerTool(
    "test_headers",
    { description: "Mirrors an argument", inputSchema: headerSchema },
    done,
  );
}

function registerResources(server: McpServer): void {
  server.registerResource("text", "test://static-text", { mimeType: "text/plain" }, ({ href }) => ({
    contents: [{ uri: href, mimeType: "text/plain", text: "The static text resource." }],
  }));
  server.registerResource("png", "test://static-binary", { mimeType: "image/png" }, ({ href }) => ({
    contents: [{ uri: href, mimeType: "image/png", blob: PNG }],
  }));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, {}, (uri, { id }) => ({
    contents: [
      {
        uri: uri.href,
        mimeType: "application/json",
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }));
}

function registerPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: "user" as const, content });
  server.registerPrompt("test_simple_prompt", { description: "Says one thing" }, () => ({
    messages: [user(text("This is a simple prompt for testing."))],
  }));
  server.registerPrompt(
    "test_prompt_with_arguments",
    {
      description: "Repeats its arguments",
      argsSchema: z.object({ arg1: completable(z.string(), () => ["paris"]), arg2: z.string() }),
    },
    ({ arg1, arg2 }) => ({
      messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
    }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Embeds a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        user(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
      ],
    }),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Shows one pixel" }, () => ({
    messages: [user(image), user(text("Please analyze the image above."))],
  }));
  server.registerPrompt(
    "test_input_required_result_prompt",
    { description: "Asks first", argsSchema: z.object({}) },
    (_, { mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, "user_context", anyText("context"));
      if (answer) return { messages: [user(text(`Context: ${answer.context}`))] };
      const user_context = elicit("What context should the prompt use?", "context");
      return inputRequired({ inputRequests: { user_context } });
    },
  );
}
