import { visibleText } from "fleetrig/broker";
import { formatDurationUs, US_PER_S } from "fleetrig/kernel";
import type { Rate, TopFigures } from "./top-figures.js";

/** How the view is drawn. */
export interface TopViewOptions {
  readonly url: string;
  readonly width: number;
  readonly bold: (text: string) => string;
}

/** One view: lines no wider than the terminal, widest matters first. */
export function renderTop(figures: TopFigures, options: TopViewOptions): string[] {
  const { width, bold } = options;
  const fit = (line: string): string => (line.length > width ? `${line.slice(0, width - 1)}…` : line);
  return [
    bold(fit(title(figures, options.url))),
    ...figures.health.problems.map((problem) => fit(`  ! ${visibleText(problem)}`)),
    ...summary(figures).map(([name, text]) => fit(`${name.padEnd(13)}${text}`)),
    "",
    ...slowTable(figures).map((row, index) => emphasised(fit(columns(row, width)), index, bold)),
    "",
    ...busyTable(figures).map((row, index) => emphasised(fit(columns(row, width)), index, bold)),
  ];
}

const emphasised = (line: string, index: number, bold: (text: string) => string): string =>
  index === 0 ? bold(line) : line;

function title({ health, uptimeS }: TopFigures, url: string): string {
  const { status, profile, durability, version } = health;
  const parts = [
    `fleetrig broker ${visibleText(version)}`,
    url,
    visibleText(status),
    `up ${seconds(uptimeS)}`,
    `profile ${visibleText(profile)}`,
    `durability ${visibleText(durability)}`,
  ];
  return parts.join("  ");
}

function summary({ gauges, rates, dropped, refused, loopDelay, cpu }: TopFigures): [string, string][] {
  const { connections, sessions, subscriptions, retainedMessages } = gauges;
  return [
    [
      "clients",
      `${count(connections)} connected (${perSecond(rates.connects)} connects), ${count(sessions)} sessions, ` +
        `${count(subscriptions)} subscriptions, ${count(retainedMessages)} retained`,
    ],
    ["messages in", `${perSecond(rates.messagesIn)}, ${bytesPerSecond(rates.bytesIn)}`],
    [
      "messages out",
      `${perSecond(rates.messagesOut)}, ${bytesPerSecond(rates.bytesOut)}; ` +
        `${count(gauges.inflightMessages)} in flight, ${count(gauges.queuedMessages)} queued ` +
        `(${bytes(gauges.queuedBytes)}), ${perSecond(rates.redelivered)} again`,
    ],
    [
      "event loop",
      `delay p50 ${milliseconds(loopDelay.p50)}, p99 ${milliseconds(loopDelay.p99)}, max ${milliseconds(loopDelay.max)}; ` +
        `cpu ${(cpu * 100).toFixed(0)} %`,
    ],
    [
      "memory",
      `${bytes(gauges.residentBytes)} resident, heap ${bytes(gauges.heapBytes)} of ${bytes(gauges.heapLimitBytes)}`,
    ],
    ["dropped", reasons(dropped)],
    ["refused", reasons(refused)],
  ];
}

const reasons = (rates: Readonly<Record<string, Rate>>): string =>
  Object.entries(rates)
    .sort(([, a], [, b]) => b.perSecond - a.perSecond || b.total - a.total)
    .map(([reason, rate]) => `${visibleText(reason)} ${perSecond(rate)} (${count(rate.total)})`)
    .join(", ") || "none";

type Row = readonly string[];

/** A client id is shown up to this length, less in narrow terminals. */
const ID_LENGTH = 40;

const slowTable = ({ slow }: TopFigures): Row[] => [
  ["slowest subscribers", "waiting", "queued", "bytes", "in flight", "dropped"],
  ...(slow.length === 0 ? [["none"]] : []),
  ...slow.map((client) => [
    visibleText(client.clientId, ID_LENGTH),
    seconds(Math.max(client.oldestMessageS, client.undrainedS)),
    count(client.queuedMessages),
    bytes(client.queuedBytes + client.bufferedBytes),
    count(client.inflightMessages),
    count(client.droppedMessages),
  ]),
];

const busyTable = ({ busy }: TopFigures): Row[] => [
  ["busiest clients", "in", "out", "received", "sent", "queued"],
  ...(busy.length === 0 ? [["none"]] : []),
  ...busy.map((client) => [
    visibleText(client.clientId, ID_LENGTH),
    `${rounded(client.inPerSecond)}/s`,
    `${rounded(client.outPerSecond)}/s`,
    bytes(client.receivedBytes),
    bytes(client.sentBytes),
    count(client.queuedMessages),
  ]),
];

const CELL = 11;
const MIN_ID = 18;

/** The first column takes what the others leave; where that is too little, the last of the others are left out. */
function columns([first = "", ...others]: Row, width: number): string {
  const shown = others.slice(0, Math.max(0, Math.floor((width - MIN_ID) / CELL)));
  const own = Math.min(width - shown.length * CELL, ID_LENGTH + 2);
  const label = first.length > own - 1 ? `${first.slice(0, own - 2)}…` : first;
  return `${label.padEnd(own)}${shown.map((cell) => cell.padStart(CELL)).join("")}`.trimEnd();
}

const GROUPS = /\B(?=(\d{3})+$)/g;
const count = (value: number): string => String(Math.round(value)).replace(GROUPS, ",");
const rounded = (value: number): string => (value < 10 ? String(Number(value.toFixed(1))) : count(value));
const perSecond = ({ perSecond: value }: Rate): string => `${rounded(value)}/s`;
const bytesPerSecond = ({ perSecond: value }: Rate): string => `${bytes(value)}/s`;
const seconds = (value: number): string =>
  value <= 0 ? "0 s" : formatDurationUs(Math.round(value * 10) * (US_PER_S / 10));
const milliseconds = (value: number): string => `${Number((value * 1000).toFixed(1))} ms`;

function bytes(value: number): string {
  if (value < 1_000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(1)} MB`;
  return `${(value / 1e9).toFixed(2)} GB`;
}
