import { isUtf8 } from "node:buffer";
import { type Clock, type EventSink, type JsonObject, type JsonParse, parseJson } from "fleetrig/kernel";
import { type ApplicationMessage, MAX_JSON_DEPTH } from "../message.js";
import type { MessageBus, ReservedTopicService, Routing } from "../message-bus.js";
import {
  isShadowName,
  isThingName,
  parseReservedTopic,
  type ShadowOperation,
  shadowTopicPrefix,
} from "fleetrig/protocol";
import { RecordBook } from "../records/index.js";
import {
  deleteAcceptedBody,
  deltaBody,
  documentsBody,
  getAcceptedBody,
  rejectedBody,
  updateAcceptedBody,
} from "./bodies.js";
import { hasDelta } from "./delta.js";
import { applyUpdate, type ShadowDocument } from "./document.js";
import { noSuchShadow, SHADOW_ERROR, type ShadowError } from "./errors.js";
import { type ListNamedRequest, type ListNamedResult, listNamedShadows } from "./list-named.js";
import { completeShadowSettings, type ShadowSettings } from "./settings.js";
import { type ShadowKey, ShadowStore } from "./shadow-store.js";
import { checkDelete, type Checked, checkGet, checkUpdate, type ShadowRequest } from "./validate.js";

/** What the shadow service works with; settings that are left out have their defaults. */
export interface ShadowServiceOptions {
  readonly clock: Clock;
  readonly bus: MessageBus;
  readonly events: EventSink;
  /** Told of every operation that is billed, in units of 1 KiB. */
  readonly meter?: (units: number) => void;
  /** Where documents outlive the process. Default: nowhere. */
  readonly records?: RecordBook;
  readonly settings?: Partial<ShadowSettings>;
  /** Answers 404 `Thing not found` where it says false. Default: every thing exists. */
  readonly thingExists?: (thing: string) => boolean;
  /** Called after a document was changed, created or deleted. */
  readonly changed?: (key: ShadowKey) => void;
}

/** What came of a request: the new version, or the refusal. */
export type ShadowResult =
  /** `body()` builds what `<operation>/accepted` says. */
  | { readonly ok: true; readonly version: number; body(): JsonObject }
  | { readonly ok: false; readonly error: ShadowError };

/** A checked request on its way through the service. */
interface Call {
  readonly key: ShadowKey;
  readonly nowS: number;
  readonly request: ShadowRequest;
}

interface Answer {
  readonly result: ShadowResult;
  /** Also refusals echo it, when it could be read. */
  readonly clientToken: string | undefined;
}

const CHECKS = { update: checkUpdate, get: checkGet, delete: checkDelete } as const;
const EMPTY_REQUEST: JsonParse = { ok: true, value: {} };
const NO_STATE: JsonObject = {};
/** AWS: shadow operations are metered in increments of this. */
const METERED_BYTES = 1024;

/**
 * AWS IoT's Device Shadow service (REF §5). Requests come in over MQTT through `handle`, or in process (HTTP, rules,
 * scenario actions) through `update`, `get` and `delete`; both ways publish the same messages on success, and only
 * MQTT requests are answered with `rejected`.
 */
export class ShadowService implements ReservedTopicService {
  private readonly clock: Clock;
  private readonly bus: MessageBus;
  private readonly events: EventSink;
  private readonly settings: ShadowSettings;
  private readonly thingExists: (thing: string) => boolean;
  private readonly store: ShadowStore;
  private readonly meter: (units: number) => void;
  private readonly changed: (key: ShadowKey) => void;

  constructor(options: ShadowServiceOptions) {
    this.clock = options.clock;
    this.bus = options.bus;
    this.events = options.events;
    this.settings = completeShadowSettings(options.settings);
    this.thingExists = options.thingExists ?? (() => true);
    this.meter = options.meter ?? (() => undefined);
    this.changed = options.changed ?? (() => undefined);
    this.store = new ShadowStore(this.settings.versionRetentionS, options.records ?? new RecordBook());
  }

  /** Requests reach subscribers of their own topic too (class B), answered or not. Wills are not requests. */
  handle(message: ApplicationMessage): Routing {
    const topic = parseReservedTopic(message.topic);
    if (topic?.service !== "shadow" || topic.message !== "request" || message.isWill) return "broker";
    const { operation } = topic;
    const { result, clientToken } = this.serve(
      topic,
      operation,
      this.read(message.payload, operation, () => message.json()),
    );
    if (!result.ok) {
      this.publish(topic, `${operation}/rejected`, () =>
        rejectedBody(result.error, this.nowS(), clientToken),
      );
    } else if (operation === "get") {
      this.publish(topic, "get/accepted", () => result.body());
    }
    return "broker";
  }

  /** Would `handle` answer a message on this topic? */
  listensTo(topic: string): boolean {
    const parsed = parseReservedTopic(topic);
    return parsed?.service === "shadow" && parsed.message === "request";
  }

  /**
   * An update from inside the cloud: rules, HTTP, scenario actions.
   * @param request `payload` is what MQTT would carry. It becomes part of the document: never change it afterwards.
   */
  update(request: ShadowKey & { readonly payload: JsonObject }): ShadowResult {
    return this.serve(request, "update", { ok: true, value: request.payload }).result;
  }

  get(key: ShadowKey): ShadowResult {
    return this.serve(key, "get", EMPTY_REQUEST).result;
  }

  delete(key: ShadowKey): ShadowResult {
    return this.serve(key, "delete", EMPTY_REQUEST).result;
  }

  /** A request as it came from a client that is no MQTT client; like the three above, but unread. */
  request(key: ShadowKey, operation: ShadowOperation, payload: Uint8Array): ShadowResult {
    return this.serve(
      key,
      operation,
      this.read(payload, operation, () => parsePayload(payload)),
    ).result;
  }

  /** Names of a thing's named shadows, page by page; an unknown thing has none. */
  listNamed(request: ListNamedRequest): ListNamedResult {
    return listNamedShadows(this.store.names(request.thing), request, this.nowS());
  }

  /** The document as data, without counting as a request; undefined when there is none. */
  document(key: ShadowKey): ShadowDocument | undefined {
    return this.store.find(key)?.document;
  }

  /** The payload as JSON, or why it cannot be read. Nothing is parsed before its size is known. */
  private read(
    payload: Uint8Array,
    operation: ShadowOperation,
    parse: () => JsonParse,
  ): JsonParse | ShadowError {
    this.meter(Math.max(1, Math.ceil(payload.byteLength / METERED_BYTES)));
    if (payload.byteLength === 0 && operation !== "update") return EMPTY_REQUEST;
    const error = this.unreadable(payload);
    if (error === undefined) return parse();
    return operation === "delete" ? EMPTY_REQUEST : error;
  }

  private unreadable(payload: Uint8Array): ShadowError | undefined {
    if (payload.byteLength > this.settings.maxRequestBytes) return SHADOW_ERROR.tooLarge;
    return isUtf8(payload) ? undefined : SHADOW_ERROR.notUtf8;
  }

  private serve(key: ShadowKey, operation: ShadowOperation, payload: JsonParse | ShadowError): Answer {
    const nowS = this.nowS();
    this.store.expire(nowS);
    const checked: Checked<ShadowRequest> =
      "code" in payload
        ? { ok: false, error: payload, clientToken: undefined }
        : CHECKS[operation](payload, this.settings.maxNesting);
    const clientToken = checked.ok ? checked.value.clientToken : checked.clientToken;
    const call: Call = { key, nowS, request: checked.ok ? checked.value : { clientToken } };
    const error = checked.ok ? this.refusal(key, nowS) : checked.error;
    const result = error === undefined ? this.perform(operation, call) : refuse(error);
    if (!result.ok) this.emitRejected(key, operation, result.error.code);
    return { result, clientToken };
  }

  private refusal(key: ShadowKey, nowS: number): ShadowError | undefined {
    if (!isThingName(key.thing)) return SHADOW_ERROR.invalidThingName;
    if (key.shadowName !== undefined && !isShadowName(key.shadowName)) return SHADOW_ERROR.invalidShadowName;
    if (!this.thingExists(key.thing)) return SHADOW_ERROR.thingNotFound;
    const maximum = this.settings.maxRequestsPerSecond;
    if (maximum === undefined) return undefined;
    return (this.store.find(key)?.admit(nowS, maximum) ?? true) ? undefined : SHADOW_ERROR.tooManyRequests;
  }

  private perform(operation: ShadowOperation, call: Call): ShadowResult {
    switch (operation) {
      case "update":
        return this.performUpdate(call);
      case "get":
        return this.performGet(call);
      case "delete":
        return this.performDelete(call);
    }
  }

  private performUpdate(call: Call): ShadowResult {
    const { key, nowS, request } = call;
    const place = this.store.find(key);
    const previous = this.store.base(place);
    if (request.version !== undefined && request.version !== previous.version) {
      return refuse(SHADOW_ERROR.versionConflict);
    }
    if (place === undefined && this.store.size >= this.settings.maxShadows) {
      return refuse(SHADOW_ERROR.tooManyRequests);
    }
    const application = applyUpdate(previous, request, { nowS, limit: this.settings });
    if (!application.ok) return refuse(SHADOW_ERROR.tooLarge);
    const { document } = application;
    this.store.put(key, document);
    this.changed(key);
    this.announceUpdate(call, previous, document);
    return { ok: true, version: document.version, body: () => updateAcceptedBody(request, document) };
  }

  /** The three messages of an accepted update (REF §5.6), each built only if somebody would get it. */
  private announceUpdate(call: Call, previous: ShadowDocument, document: ShadowDocument): void {
    const { key, request } = call;
    const differs = hasDelta(document.desired?.state, document.reported?.state);
    this.events.emit({
      type: "shadow.accepted",
      atUs: this.clock.nowUs(),
      thing: key.thing,
      shadowName: key.shadowName,
      version: document.version,
      requested: {
        ...(request.desired !== undefined && { desired: request.desired }),
        ...(request.reported !== undefined && { reported: request.reported }),
      },
      desired: document.desired?.state ?? NO_STATE,
      reported: document.reported?.state ?? NO_STATE,
      hasDelta: differs,
      clientToken: request.clientToken,
    });
    this.publish(key, "update/accepted", () => updateAcceptedBody(request, document));
    if (differs) this.publish(key, "update/delta", () => deltaBody(document, request.clientToken));
    this.publish(key, "update/documents", () => documentsBody(previous, document, request.clientToken));
  }

  private performGet({ key, nowS, request }: Call): ShadowResult {
    const document = this.document(key);
    if (document === undefined) return refuse(noSuchShadow(key));
    const body = (): JsonObject => getAcceptedBody(document, nowS, request.clientToken);
    return { ok: true, version: document.version, body };
  }

  private performDelete({ key, nowS, request }: Call): ShadowResult {
    const document = this.document(key);
    if (document === undefined) return refuse(noSuchShadow(key));
    const version = document.version + (this.settings.deleteIncrementsVersion ? 1 : 0);
    this.store.markDeleted(key, version, nowS);
    this.changed(key);
    this.events.emit({
      type: "shadow.deleted",
      atUs: this.clock.nowUs(),
      thing: key.thing,
      shadowName: key.shadowName,
      version,
    });
    const body = (): JsonObject => deleteAcceptedBody(version, nowS, request.clientToken);
    this.publish(key, "delete/accepted", body);
    return { ok: true, version, body };
  }

  private emitRejected(key: ShadowKey, operation: ShadowOperation, code: number): void {
    this.events.emit({
      type: "shadow.rejected",
      atUs: this.clock.nowUs(),
      thing: key.thing,
      shadowName: key.shadowName,
      operation,
      code,
    });
  }

  private publish(key: ShadowKey, suffix: string, body: () => JsonObject): void {
    const topic = `${shadowTopicPrefix(key.thing, key.shadowName)}/${suffix}`;
    if (this.bus.hasSubscribers?.(topic) === false) return;
    this.bus.publish({ topic, payload: JSON.stringify(body()), qos: 1 });
  }

  private nowS(): number {
    return Math.floor(this.clock.wallMs() / 1000);
  }
}

const parsePayload = (payload: Uint8Array): JsonParse =>
  parseJson(new TextDecoder().decode(payload), MAX_JSON_DEPTH);

const refuse = (error: ShadowError): ShadowResult => ({ ok: false, error });
