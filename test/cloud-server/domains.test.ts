import { connect } from "node:tls";
import { once } from "node:events";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { CloudBench, refusalOf } from "./cloud-bench.js";

const ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}';

async function call(bench: CloudBench, method: string, path: string, body?: object) {
  const answer = await bench.ask(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return answer.status === 200 ? (JSON.parse(answer.text) as Record<string, unknown>) : refusalOf(answer);
}

async function device(bench: CloudBench) {
  const own = await bench.device();
  const { identity } = bench.server.cloud;
  identity.policies.create("all", ALL);
  identity.attachPolicy("all", own.id);
  return own;
}

/** `open`, or how it ended. */
async function attempt(bench: CloudBench, door: "mqtts" | "tls", options: object): Promise<string> {
  const client = mqtt.connect(`mqtts://127.0.0.1:${bench.port(door)}`, {
    ca: bench.ca,
    reconnectPeriod: 0,
    ...options,
  });
  let told = "closed";
  client.on("error", ({ message }) => {
    told = message;
  });
  const outcome = await new Promise<string>((resolve) => {
    client.once("connect", () => resolve("open"));
    client.once("close", () => resolve(told));
  });
  await client.endAsync(true);
  return outcome;
}

describe("DescribeEndpoint", () => {
  it("names hosts for tools that bring a port, and addresses for those that do not", async () => {
    const bench = await CloudBench.open();
    const at = async (type: string) =>
      call(bench, "GET", `/endpoint?endpointType=${encodeURIComponent(type)}`);
    expect(await at("iot:Data-ATS")).toEqual({ endpointAddress: "localhost" });
    expect(await at("iot:CredentialProvider")).toEqual({
      endpointAddress: `localhost:${bench.port("https")}`,
    });
    expect(await at("iot:Jobs")).toEqual({ endpointAddress: `localhost:${bench.port("tls")}` });
    expect(await call(bench, "GET", "/endpoint")).toEqual({ endpointAddress: "localhost" });
    expect(await at("iot:Nothing")).toMatch(/^400 InvalidRequestException/);
  });

  it("says where HTTPS is when it is asked to", async () => {
    const bench = await CloudBench.open({ dataEndpoint: "host:port" });
    expect(await call(bench, "GET", "/endpoint?endpointType=iot%3AData-ATS")).toEqual({
      endpointAddress: `localhost:${bench.port("tls")}`,
    });
  });
});

describe("domain configurations", () => {
  it("are kept beside AWS's own", async () => {
    const bench = await CloudBench.open();
    const arn = "arn:aws:acm:us-east-1:000000000000:certificate/1";
    const created = await call(bench, "POST", "/domainConfigurations/mine", {
      domainName: "IoT.Example.org",
      serverCertificateArns: [arn],
      authorizerConfig: { allowAuthorizerOverride: true },
      authenticationType: "AWS_X509",
    });
    expect(created).toMatchObject({
      domainConfigurationName: "mine",
      domainConfigurationArn: expect.stringMatching(/:domainconfiguration\/mine\/[\da-f]{5}$/) as string,
    });
    expect(await call(bench, "GET", "/domainConfigurations/mine")).toMatchObject({
      domainName: "iot.example.org",
      domainType: "CUSTOMER_MANAGED",
      serviceType: "DATA",
      domainConfigurationStatus: "ENABLED",
      serverCertificates: [{ serverCertificateArn: arn, serverCertificateStatus: "VALID" }],
      authenticationType: "AWS_X509",
      applicationProtocol: "DEFAULT",
    });
    expect(await call(bench, "GET", "/domainConfigurations/iot:Data-ATS")).toMatchObject({
      domainType: "ENDPOINT",
    });
    const { domainConfigurations } = (await call(bench, "GET", "/domainConfigurations?serviceType=DATA")) as {
      domainConfigurations: { domainConfigurationName: string }[];
    };
    expect(domainConfigurations.map((row) => row.domainConfigurationName)).toEqual(["iot:Data-ATS", "mine"]);
    const twice = { domainName: "iot.example.org" };
    expect(await call(bench, "POST", "/domainConfigurations/other", twice)).toMatch(/^400/);
    expect(await call(bench, "POST", "/domainConfigurations/mine", {})).toMatch(/^409/);
    const unknown = { authorizerConfig: { defaultAuthorizerName: "nobody" } };
    expect(await call(bench, "PUT", "/domainConfigurations/mine", unknown)).toMatch(/^400/);
    expect(await call(bench, "DELETE", "/domainConfigurations/mine")).toMatch(/^400/);
    await call(bench, "PUT", "/domainConfigurations/mine", {
      domainConfigurationStatus: "DISABLED",
      removeAuthorizerConfig: true,
    });
    expect(await call(bench, "GET", "/domainConfigurations/mine")).not.toHaveProperty("authorizerConfig");
    expect(await call(bench, "DELETE", "/domainConfigurations/mine")).toEqual({});
    expect(await call(bench, "GET", "/domainConfigurations/mine")).toMatch(/^404/);
  });

  it("give clients a certificate for their name, and requests a Host", async () => {
    const bench = await CloudBench.open();
    const shown = async (servername: string): Promise<string> => {
      const socket = connect({
        port: bench.port("tls"),
        host: "127.0.0.1",
        servername,
        ca: bench.ca,
        rejectUnauthorized: false,
      });
      await once(socket, "secureConnect");
      const { subjectaltname = "" } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname;
    };
    expect(await shown("iot.example.org")).toContain("localhost");
    await call(bench, "POST", "/domainConfigurations/mine", { domainName: "iot.example.org" });
    expect(await shown("iot.example.org")).toMatch(/^DNS:iot\.example\.org(?!.*localhost)/);
    const asked = { door: "tls", headers: { host: "iot.example.org" } } as const;
    expect((await bench.ask("/nothing", asked)).status).toBe(404);
    await call(bench, "PUT", "/domainConfigurations/mine", { domainConfigurationStatus: "DISABLED" });
    expect((await bench.ask("/nothing", asked)).status).toBe(421);
  });

  it("pin down how clients speak and what they show", async () => {
    const bench = await CloudBench.open();
    const { key, cert } = await device(bench);
    const pin = (name: string, settings: object) =>
      call(bench, "POST", `/domainConfigurations/${name}`, {
        domainName: `${name}.example.org`,
        ...settings,
      });
    await pin("x509", { authenticationType: "AWS_X509" });
    await pin("sigv4", { authenticationType: "AWS_SIGV4" });
    await pin("custom", { authenticationType: "CUSTOM_AUTH" });
    await pin("mqtt", { applicationProtocol: "SECURE_MQTT" });
    await pin("https", { applicationProtocol: "HTTPS" });
    const dial = (name: string, door: "mqtts" | "tls" = "mqtts") =>
      attempt(bench, door, { key, cert, servername: `${name}.example.org` });
    expect(await dial("x509")).toBe("open");
    expect(await dial("sigv4")).toBe("closed");
    expect(await dial("custom")).toBe("closed");
    expect(await dial("https")).toBe("closed");
    // Without ALPN it is HTTP that is spoken there, unless the domain says otherwise.
    expect(await dial("mqtt", "tls")).toBe("open");
    const publish = async (name: string) =>
      (
        await bench.ask("/topics/a", {
          door: "https",
          method: "POST",
          identity: { key, cert },
          servername: `${name}.example.org`,
          headers: { host: `${name}.example.org` },
        })
      ).status;
    expect(await publish("x509")).toBe(200);
    expect(await publish("https")).toBe(200);
    expect(await publish("mqtt")).toBe(403);
    expect(await publish("sigv4")).toBe(403);
  });
});
