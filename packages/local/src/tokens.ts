import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { StartError, systemCode } from "./start-error.js";
import type { Project } from "./store/index.js";

/** What a token says of its bearer, as far as we read it. */
export interface TokenClaims {
  readonly projectId: string;
  /** What this bearer sends is forwarded, under this key. */
  readonly forwardKey?: string | undefined;
}

/** Issues and checks the tokens that an API key is exchanged for; the same claims as AgentOps'. */
export interface Tokens {
  issue(project: Pick<Project, "id" | "apiKey">, forwardKey?: string): Promise<string>;
  /** @throws {InvalidTokenError} */
  verify(token: string): Promise<TokenClaims>;
  /** For who can read the secret's file: the user who runs the server. */
  issueAdmin(): Promise<string>;
  isAdmin(token: string): Promise<boolean>;
}

export class InvalidTokenError extends Error {
  override readonly name = "InvalidTokenError";
  readonly isExpired: boolean;

  constructor(isExpired: boolean, options?: ErrorOptions) {
    super(isExpired ? "The token has expired." : "The token is not valid here.", options);
    this.isExpired = isExpired;
  }
}

const TOKEN_LIFETIME = "30 days";
const AUDIENCE = "authenticated";
const ADMIN_TOKEN_LIFETIME = "5 minutes";
const ADMIN_AUDIENCE = "agentops-local admin";
const ALGORITHM = "HS256";
export const PLAN = "pro";
const SECRET_BYTES = 32;

const claimsSchema = z
  .object({ project_id: z.string(), api_key: z.string(), forward: z.boolean().default(false) })
  .transform(
    ({ project_id, api_key, forward }): TokenClaims => ({
      projectId: project_id,
      forwardKey: forward ? api_key : undefined,
    }),
  );

export function createTokens(secret: Uint8Array): Tokens {
  return {
    issue({ id, apiKey }, forwardKey) {
      const claims = { project_id: id, project_prem_status: PLAN, api_key: forwardKey ?? apiKey };
      const forward = forwardKey !== undefined && { forward: true };
      return sign({ ...claims, ...forward }, AUDIENCE, TOKEN_LIFETIME);
    },

    async verify(token) {
      try {
        const options = { algorithms: [ALGORITHM], audience: AUDIENCE };
        const { payload } = await jwtVerify(token, secret, options);
        return claimsSchema.parse(payload);
      } catch (error) {
        throw new InvalidTokenError(error instanceof errors.JWTExpired, { cause: error });
      }
    },

    issueAdmin: () => sign({}, ADMIN_AUDIENCE, ADMIN_TOKEN_LIFETIME),

    async isAdmin(token) {
      const options = { algorithms: [ALGORITHM], audience: ADMIN_AUDIENCE };
      return await jwtVerify(token, secret, options).then(
        () => true,
        () => false,
      );
    },
  };

  function sign(claims: JWTPayload, audience: string, lifetime: string): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setAudience(audience)
      .setExpirationTime(lifetime)
      .sign(secret);
  }
}

/** Where what signs tokens is. */
export interface SecretLocation {
  readonly dataDir: string;
  readonly jwtSecret?: string | undefined;
}

/** The secret that was given, else the data folder's. */
export async function openTokens({ dataDir, jwtSecret }: SecretLocation): Promise<Tokens> {
  const secret = jwtSecret
    ? new TextEncoder().encode(jwtSecret)
    : await openSecret(join(dataDir, "jwt-secret"));
  return createTokens(secret);
}

/**
 * Reads the signing secret from a file that only this user may read; the first call makes it.
 *
 * @throws {StartError} when the file holds something else.
 */
async function openSecret(path: string): Promise<Uint8Array> {
  const secret = await readFile(path).catch((error) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return makeSecret(path);
  });
  if (secret.length === SECRET_BYTES) return secret;
  throw new StartError(
    `${path} is damaged: it must hold ${SECRET_BYTES} bytes. Delete it to have a new one made; tokens issued so far are then no longer valid.`,
  );
}

/** Whole or not at all, however the process ends: half a secret would be there for good. */
async function makeSecret(path: string): Promise<Uint8Array> {
  const secret = randomBytes(SECRET_BYTES);
  const unfinished = `${path}.part`;
  await writeFile(unfinished, secret, { mode: 0o600, flush: true });
  await rename(unfinished, path);
  return secret;
}
