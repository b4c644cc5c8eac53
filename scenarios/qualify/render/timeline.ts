import { html, type Markup, table } from "fleetrig/reports";
import type { CaseEvidence, PacketNote } from "../evidence.js";

const WIDTH = 1000;
const LANE = 34;
const MARKS_MAX = 2_000;
/** More than anyone reads; the JSON has them all. */
const ROWS_MAX = 200;

/** The packets of a case: when, from whom, what. */
export function timeline(evidence: CaseEvidence): Markup | false {
  const { packets, handshakes } = evidence;
  if (packets.length + handshakes.length === 0) return false;
  return html`${packets.length > 0 && lanes(evidence)}${handshakes.length > 0 && handshakeTable(evidence)}${packets.length > 0 && packetTable(evidence)}`;
}

function lanes({ packets, connections, startedUs, nowUs }: CaseEvidence): Markup {
  const span = Math.max(1, nowUs - startedUs);
  const x = (atUs: number): number => Math.round(((atUs - startedUs) / span) * WIDTH * 10) / 10;
  const marks = (from: PacketNote["from"], isWithheld: boolean): string =>
    packets
      .filter((note) => note.from === from && (note.isWithheld === true) === isWithheld)
      .slice(0, MARKS_MAX)
      .map(({ atUs }) => `M${x(atUs)} ${from === "device" ? LANE - 6 : 2 * LANE - 6}v-14`)
      .join("");
  const open = connections
    .slice(0, MARKS_MAX)
    .map(({ openedUs, closedUs = nowUs }) => `M${x(openedUs)} ${2 * LANE + 10}H${x(closedUs)}`)
    .join("");
  const title = `${packets.length} packets in ${(span / 1e6).toFixed(1)} s`;
  const end = `${(span / 1e6).toFixed(1)} s`;
  return html`<figure class="chart strip"><figcaption><span class="axis">packets over time</span><span class="legend"><span class="key t1"><span class="swatch"></span>passed on</span><span class="key t7"><span class="swatch"></span>withheld</span><span class="key t3"><span class="swatch"></span>connections</span></span></figcaption>
<div class="canvas" style="height:${2 * LANE + 20}px">
<svg viewBox="0 0 ${WIDTH} ${2 * LANE + 20}" preserveAspectRatio="none" role="img" aria-label="${title}"><title>${title}</title>
<path class="base" d="M0 ${LANE - 4}H${WIDTH}M0 ${2 * LANE - 4}H${WIDTH}"/>
<g class="t1"><path class="line" d="${marks("device", false)}${marks("endpoint", false)}"/></g>
<g class="t7"><path class="line" d="${marks("device", true)}${marks("endpoint", true)}"/></g>
<g class="t3"><path class="line" d="${open}"/></g></svg>
<span class="lane" style="top:0px">device</span><span class="lane" style="top:${LANE}px">endpoint</span>
<div aria-hidden="true"><span class="xtick" style="left:0%">0 s</span><span class="xtick" style="left:100%">${end}</span></div>
</div></figure>`;
}

const since = ({ startedUs }: CaseEvidence, atUs: number): string => ((atUs - startedUs) / 1e6).toFixed(3);

function packetTable(evidence: CaseEvidence): Markup {
  const rows = evidence.packets.slice(0, ROWS_MAX);
  const more = evidence.packets.length + evidence.droppedPackets - rows.length;
  return html`<details class="fold"><summary>${rows.length} packets${more > 0 && html` <span class="muted">and ${more} more in the JSON report</span>`}</summary>
${table({
  caption: "Packets",
  hidesCaption: true,
  rows,
  columns: [
    { title: "s", isNumber: true, cell: ({ atUs }) => since(evidence, atUs) },
    { title: "connection", isNumber: true, cell: ({ connection }) => connection + 1 },
    { title: "from", cell: ({ from }) => from },
    {
      title: "packet",
      cell: ({ type, isWithheld }) =>
        html`${type.toUpperCase()}${isWithheld === true && html` <span class="muted">withheld</span>`}`,
    },
    { title: "what it says", cell: describe },
  ],
})}</details>`;
}

function describe(note: PacketNote): string {
  const { packetId, publish, connect, filters, reasonCode, reasonCodes, sessionPresent } = note;
  const parts = [
    packetId !== undefined && `id ${packetId}`,
    connect !== undefined &&
      `${connect.clientId}, MQTT ${connect.protocolVersion === 5 ? "5" : "3.1.1"}, ${connect.cleanStart ? "clean" : "persistent"}, keep-alive ${connect.keepAliveS} s`,
    publish !== undefined &&
      `${publish.topic}, QoS ${publish.qos}${publish.dup ? ", DUP" : ""}${publish.retain ? ", retained" : ""}, ${publish.payloadBytes} B`,
    filters?.map(({ filter, qos }) => `${filter} (QoS ${qos})`).join(", "),
    sessionPresent !== undefined && `session ${sessionPresent ? "present" : "new"}`,
    reasonCode !== undefined && reasonCode !== 0 && `reason 0x${reasonCode.toString(16)}`,
    reasonCodes?.map((code) => (code >= 0x80 ? `refused 0x${code.toString(16)}` : `QoS ${code}`)).join(", "),
  ];
  return parts.filter((part) => typeof part === "string" && part !== "").join("; ");
}

function handshakeTable(evidence: CaseEvidence): Markup {
  return html`<details class="fold"><summary>${evidence.handshakes.length} TLS handshakes</summary>
${table({
  caption: "TLS handshakes",
  hidesCaption: true,
  rows: evidence.handshakes.slice(0, ROWS_MAX),
  columns: [
    { title: "s", isNumber: true, cell: ({ atUs }) => since(evidence, atUs) },
    {
      title: "outcome",
      cell: ({ outcome, reason }) => (reason === undefined ? outcome : `${outcome}: ${reason}`),
    },
    { title: "protocol", cell: ({ protocol, cipher }) => [protocol, cipher].filter(Boolean).join(", ") },
    {
      title: "offered",
      cell: ({ hello }) =>
        typeof hello === "object"
          ? `${hello.versions.join(", ")}; ${hello.cipherSuites.length} suites; ${hello.serverName ?? "no name"}`
          : (hello ?? ""),
    },
    { title: "certificate", isNumber: true, cell: ({ certificateBytes }) => `${certificateBytes} B` },
  ],
})}</details>`;
}
