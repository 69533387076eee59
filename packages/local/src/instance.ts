import { randomUUID } from "node:crypto";

/** Of this run of the program, which nobody has before it starts or after it ends. */
export const instanceId = randomUUID();
