import { Agent } from "node:https";
import { IoTClient } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient } from "@aws-sdk/client-iot-data-plane";
import { IoTJobsDataPlaneClient } from "@aws-sdk/client-iot-jobs-data-plane";
import { afterAll, beforeAll } from "vitest";
import { type CloudUnderTest, startCloudUnderTest } from "./cloud-under-test.js";
import { ANY_CREDENTIALS, REGION } from "./device-account.js";

export const SIGNING_KEYS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

/** The ways to the APIs: plain with anything for a signature, and HTTPS where signatures are checked. */
export const WAYS = {
  "plain HTTP": { isSigned: false },
  "HTTPS with the cloud's CA and checked signatures": { isSigned: true },
};

/** What a request failed with. */
export const failureOf = (request: Promise<unknown>): Promise<unknown> =>
  request.then(
    () => "no failure",
    (error: unknown) => error,
  );

/** A cloud of its own for a suite, with the SDK's three clients. */
class SdkClients {
  readonly iot: IoTClient;
  readonly data: IoTDataPlaneClient;
  readonly jobs: IoTJobsDataPlaneClient;

  constructor(
    readonly stage: CloudUnderTest,
    private readonly isSigned: boolean,
  ) {
    this.iot = new IoTClient(this.clientOptions());
    this.data = new IoTDataPlaneClient(this.clientOptions());
    this.jobs = new IoTJobsDataPlaneClient(this.clientOptions());
  }

  clientOptions(credentials = this.isSigned ? SIGNING_KEYS : ANY_CREDENTIALS) {
    const { server, ca, url } = this.stage;
    const secured = {
      endpoint: `https://localhost:${server.port("tls")}`,
      requestHandler: { httpsAgent: new Agent({ ca, keepAlive: true }) },
    };
    return { region: REGION, credentials, maxAttempts: 1, ...(this.isSigned ? secured : { endpoint: url }) };
  }

  stop(): Promise<void> {
    for (const client of [this.iot, this.data, this.jobs]) client.destroy();
    return this.stage.stop();
  }
}

/** Starts them before the suite's tests, and stops them after. */
export function useSdk(
  isSigned: boolean,
): Pick<SdkClients, "iot" | "data" | "jobs" | "stage" | "clientOptions"> {
  let clients: SdkClients;
  beforeAll(async () => {
    clients = new SdkClients(
      await startCloudUnderTest(isSigned ? { credentials: [SIGNING_KEYS] } : {}),
      isSigned,
    );
  });
  afterAll(() => clients.stop());
  return {
    get iot() {
      return clients.iot;
    },
    get data() {
      return clients.data;
    },
    get jobs() {
      return clients.jobs;
    },
    get stage() {
      return clients.stage;
    },
    clientOptions: (credentials) => clients.clientOptions(credentials),
  };
}
