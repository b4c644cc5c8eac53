import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CloudServer, type CloudServerOptions, createCloudServer, type DoorName } from "fleetrig/broker";
import type { RunEvent } from "fleetrig/kernel";
import { expect, onTestFinished } from "vitest";

/** Free ports for all doors. */
export const FREE_PORTS = { mqtt: 0, mqtts: 0, tls: 0, https: 0, http: 0 } as const;

/** An answer, with its body as text. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Client certificate. */
  readonly identity?: { readonly key: string; readonly cert: string };
  /** SNI. */
  readonly servername?: string;
}

/** A cloud server for one test. Faults of the server fail the test. */
export class CloudBench {
  readonly events: RunEvent[] = [];

  private constructor(
    readonly server: CloudServer,
    events: RunEvent[],
  ) {
    this.events = events;
  }

  static async open(options: CloudServerOptions = {}): Promise<CloudBench> {
    const events: RunEvent[] = [];
    const server = await createCloudServer({
      ports: FREE_PORTS,
      ...options,
      events: { emit: (event) => events.push(event) },
    });
    onTestFinished(async () => {
      await server.stop();
      expect(events.filter(({ type }) => type === "api.fault")).toEqual([]);
    });
    return new CloudBench(server, events);
  }

  get ca(): string {
    return readFileSync(this.server.caPath, "utf8");
  }

  port(door: DoorName): number {
    return this.server.port(door)!;
  }

  /** Asks over the plain door unless told otherwise. */
  ask(path: string, asking: Asking & { readonly door?: "http" | "https" | "tls" } = {}): Promise<Answer> {
    const { door = "http", method = "GET", headers = {}, body, identity, servername } = asking;
    const target = { host: "127.0.0.1", port: this.port(door), method, path, headers, agent: false };
    const request =
      door === "http"
        ? httpRequest(target)
        : httpsRequest({
            ...target,
            ca: this.ca,
            ...identity,
            ...(servername !== undefined && { servername }),
          });
    return new Promise((resolve, reject) => {
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      request.end(body);
    });
  }

  /** A certificate of the cloud, ACTIVE unless told otherwise. */
  async device(status: "ACTIVE" | "INACTIVE" = "ACTIVE"): Promise<{
    readonly id: string;
    readonly key: string;
    readonly cert: string;
  }> {
    const { issuer, identity } = this.server.cloud;
    const made = await issuer.createKeysAndCertificate({ keyType: "ec-p256" });
    const { certificatePem, keyPair, certificateId } = made;
    identity.certificates.addIssued(made, status);
    return { id: certificateId, cert: certificatePem, key: keyPair!.privateKeyPem };
  }
}

/** Error name and message of a refusal. */
export const refusalOf = ({ status, headers, text }: Answer): string => {
  const { message } = JSON.parse(text) as { message: string };
  return `${status} ${String(headers["x-amzn-errortype"])} ${message}`;
};

/** A folder that goes with the test. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fleetrig-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
