import { z } from "zod";

/** What a ticket says of who drew it. */
export const leaseTicketSchema = z.object({
  schema: z.literal(1),
  key: z.string().max(400),
  pid: z.int().positive(),
  started: z.string().max(64),
  boot: z.string().max(64),
  /** Name of the machine: of processes elsewhere nothing is known. */
  host: z.string().max(255),
  /** For people: the scenario, or the command. */
  purpose: z.string().max(500),
  sinceMs: z.number(),
  /** Given back; the file stays only to keep its number. */
  released: z.boolean().optional(),
});
export type LeaseTicket = z.infer<typeof leaseTicketSchema>;
