// Makes broker/api/model/*.json from botocore's service models: the APIs of AWS IoT as data, without their texts.
//
//   node .ci/service-models.mjs <botocore/data folder, or a folder with iot.json, iot-data.json, iot-jobs-data.json>
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";

const SERVICES = ["iot", "iot-data", "iot-jobs-data"];
const source = process.argv[2];

function read(service) {
  const flat = join(source, `${service}.json`);
  if (existsSync(flat)) return JSON.parse(readFileSync(flat, "utf8"));
  const versions = readdirSync(join(source, service)).sort();
  const path = join(source, service, versions.at(-1), "service-2.json");
  const text = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  return JSON.parse(text.toString("utf8"));
}

const operationOf = ({ http, input, output, errors, idempotent }) => ({
  method: http.method,
  path: http.requestUri,
  ...(http.responseCode !== undefined && http.responseCode !== 200 && { status: http.responseCode }),
  ...(input && { input: input.shape }),
  ...(output && { output: output.shape }),
  ...(errors && { errors: errors.map(({ shape }) => shape) }),
  ...(idempotent && { idempotent }),
});

const memberOf = ({ shape, location, locationName, idempotencyToken }) => ({
  shape,
  ...(location && { location }),
  ...(locationName && { locationName }),
  ...(idempotencyToken && { idempotencyToken }),
});

const entries = (object, map) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));

const shapeOf = ({ type, members, required, payload, min, max, pattern, enum: words, member, key, value, error, exception, sensitive }) => ({
  type,
  ...(members && { members: entries(members, memberOf) }),
  ...(required && { required }),
  ...(payload && { payload }),
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
  ...(pattern !== undefined && { pattern }),
  ...(words && { enum: words }),
  ...(member && { member: member.shape }),
  ...(key && { key: key.shape }),
  ...(value && { value: value.shape }),
  ...(exception && { exception, ...(error?.httpStatusCode && { status: error.httpStatusCode }) }),
  ...(sensitive && { sensitive }),
});

/** One line per operation and shape, so that a new version of a model shows what changed. */
const lines = (object) =>
  Object.keys(object)
    .sort()
    .map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(object[name])}`)
    .join(",\n");

for (const service of SERVICES) {
  const model = read(service);
  const operations = entries(model.operations, operationOf);
  const shapes = entries(model.shapes, shapeOf);
  const text = `{
  "service": ${JSON.stringify(service)},
  "signingName": ${JSON.stringify(model.metadata.signingName ?? model.metadata.endpointPrefix)},
  "apiVersion": ${JSON.stringify(model.metadata.apiVersion)},
  "operations": {
${lines(operations)}
  },
  "shapes": {
${lines(shapes)}
  }
}
`;
  writeFileSync(new URL(`../broker/api/model/${service}.json`, import.meta.url), text);
}
