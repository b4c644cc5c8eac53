import { posix } from "node:path";
import { type BoardSelector, createHostBench, type ClaimedBoard } from "fleetrig/hil";
import {
  createRandomSource,
  EXIT,
  FleetrigError,
  hostSeed,
  LANE,
  type RealTime,
  type RunEvent,
} from "fleetrig/kernel";
import { BoardDevice } from "../../qualify/board-device.js";
import type { DeviceUnderTest } from "../../qualify/case-run.js";
import { EndpointDoor } from "../../qualify/endpoint/endpoint-door.js";
import { TestCertificates } from "../../qualify/endpoint/test-certificates.js";
import { TestEndpoint } from "../../qualify/endpoint/test-endpoint.js";
import type { QualificationOptions } from "../../qualify/qualification.js";
import type { QualifiedDevice } from "../../qualify/qualification-record.js";
import { findBoard } from "../board/find-board.js";
import { atWorkplace, USUAL_BENCH_FILE } from "../board/workplace.js";
import { type Host, writeLine } from "../host.js";
import { stateFolderOf } from "../state-folder.js";
import { listenAddress, type QualifyFlags } from "./qualify-flags.js";

/** A device and the endpoint that it is tested against, set up. */
export interface TestBed {
  readonly endpoint: TestEndpoint;
  readonly device: DeviceUnderTest;
  readonly description: QualifiedDevice;
  readonly tls: QualificationOptions["tls"];
  close(): Promise<void>;
}

const THING = "fleetrig-dut";
const LOOPBACK = "127.0.0.1";
const DEFAULT_FOLDER = "qualify-credentials";
const BRIDGED = "The board's MQTT comes over its serial line; with --path direct it speaks TLS by itself.";
const PLAIN = "The endpoint listens without TLS.";

/** @throws FleetrigError QUALIFY_NO_BOARD, QUALIFY_NO_DOOR, those of finding boards (rejections) */
export const setUp = (host: Host, flags: QualifyFlags, time: RealTime): Promise<TestBed> =>
  flags.listen === undefined ? setUpBoard(host, flags, time) : setUpDoor(host, flags, time);

async function setUpDoor(host: Host, flags: QualifyFlags, time: RealTime): Promise<TestBed> {
  const address = listenAddress(flags.listen!);
  const clock = time.lane(LANE.harness);
  const endpoint = new TestEndpoint({ time, clock });
  const names = [
    ...new Set([
      address.host === "0.0.0.0" ? LOOPBACK : address.host,
      "localhost",
      LOOPBACK,
      ...hosts(flags),
    ]),
  ];
  const certificates = address.isTls ? new TestCertificates(clock, names, hostSeed()) : undefined;
  const door = await EndpointDoor.open({
    ...address,
    endpoint,
    nowUs: () => clock.nowUs(),
    ...(certificates !== undefined && { certificates }),
  });
  const url = `${address.isTls ? "mqtts" : "mqtt"}://${names[0]}:${door.port}`;
  writeLine(host.stderr, `connect the device to ${url}`);
  if (certificates !== undefined) writeCredentials(host, flags.out ?? DEFAULT_FOLDER, certificates);
  return {
    endpoint,
    device: { nudge: () => undefined },
    description: { kind: "foreign", name: `a device at ${url}`, path: "direct" },
    tls: certificates === undefined ? { reason: PLAIN } : { show: (certificate) => door.show(certificate) },
    close: () => door.stop(),
  };
}

const hosts = ({ host }: QualifyFlags): string[] => (host === undefined ? [] : [host]);

/** What the device must trust and show. Any certificate will do for the endpoint, and so will none. */
function writeCredentials(host: Host, folder: string, certificates: TestCertificates): void {
  host.keepFilesPrivate();
  const { certificatePem, keyPem } = certificates.device(THING);
  const files = { "ca.pem": certificates.ca, "device.pem": certificatePem, "device.key": keyPem };
  for (const [name, text] of Object.entries(files)) host.files.writeFile(`${folder}/${name}`, text);
  writeLine(host.stderr, `what it has to trust: ${folder}/ca.pem`);
  writeLine(host.stderr, `what it may show: ${folder}/device.pem with ${folder}/device.key`);
}

async function setUpBoard(host: Host, flags: QualifyFlags, time: RealTime): Promise<TestBed> {
  const { path = "bridge" } = flags;
  const random = createRandomSource(hostSeed());
  const select = await selectorOf(host, flags);
  const file = flags.bench ?? (host.files.kind(USUAL_BENCH_FILE) === "file" ? USUAL_BENCH_FILE : undefined);
  const bench = await createHostBench({
    time,
    random,
    events: { emit: (event) => told(host, event) },
    ...(file !== undefined && { file: posix.resolve(host.cwd, file) }),
    stateFolder: stateFolderOf(host),
    temporaryFolder: host.machine.temporaryFolder,
    hostName: host.machine.name,
    purpose: "fleetrig qualify",
  });
  const profile = flags.virtual === "micropython" ? "micropython" : "fleetrig";
  const closing: (() => Promise<void>)[] = [() => bench.close()];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const [claim] = await bench.claim([{ thing: THING, select, path, profile }]);
    if (claim?.board === undefined) throw noBoard(claim?.reason ?? "it was not found");
    const { board } = claim;
    const clock = time.lane(LANE.harness);
    const endpoint = new TestEndpoint({ time, clock });
    const opened = path === "direct" ? await directDoor(flags, endpoint, time) : undefined;
    if (opened !== undefined) closing.push(() => opened.door.stop());
    const device = new BoardDevice({
      bench,
      board,
      clock: time.lane(LANE.firstDevice),
      random,
      endpoint,
      ...(opened !== undefined && { door: opened.credentials }),
      habits: { protocolVersion: flags.mqtt === "3.1.1" ? 4 : 5 },
    });
    closing.push(async () => device.stop());
    const tls: TestBed["tls"] =
      opened === undefined ? { reason: BRIDGED } : { show: (certificate) => opened.door.show(certificate) };
    return { endpoint, device, description: describe(board), tls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function directDoor(flags: QualifyFlags, endpoint: TestEndpoint, time: RealTime) {
  const host = flags.host ?? LOOPBACK;
  const clock = time.lane(LANE.harness);
  const certificates = new TestCertificates(clock, [...new Set([host, "localhost"])], hostSeed());
  const door = await EndpointDoor.open({ host, port: 0, endpoint, nowUs: () => clock.nowUs(), certificates });
  const { certificatePem, keyPem } = certificates.device(THING);
  const tls = { serverName: "localhost", caPem: certificates.ca, certificatePem, keyPem };
  return { door, credentials: { host, port: door.port, tls } };
}

/** A board that is given up says nothing any more: its cases stay inconclusive, and this is why. */
function told(host: Host, event: RunEvent): void {
  if (event.type === "board.given-up") writeLine(host.stderr, `the board was given up: ${event.reason}`);
  if (event.type === "board.panicked") writeLine(host.stderr, "the board panicked");
}

/** A virtual board, or what the word means that names one. */
async function selectorOf(host: Host, { board, virtual, bench }: QualifyFlags): Promise<BoardSelector> {
  if (virtual !== undefined) return { virtual };
  return atWorkplace(host, { ...(bench !== undefined && { bench }) }, async (place) => {
    const found = findBoard(place, board!);
    return found.mac === undefined || found.isMacGuess ? { port: found.port.path } : { mac: found.mac };
  });
}

const describe = (board: ClaimedBoard): QualifiedDevice => ({
  kind: "board",
  name: `${board.chip} at ${board.port}`,
  path: board.path,
  chip: board.chip,
  mac: board.mac,
  firmware: board.version,
});

const noBoard = (reason: string): FleetrigError =>
  new FleetrigError("QUALIFY_NO_BOARD", `The board cannot be tested: ${reason}.`, {
    hint: "fleetrig board list shows what is attached, and fleetrig board doctor what is in the way.",
    exitCode: EXIT.environment,
  });
