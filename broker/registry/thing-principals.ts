import { parseArn } from "../account.js";
import type { RecordBook } from "../records/index.js";
import type { RegistryChanges } from "./changes.js";
import { cloudError } from "../cloud-error.js";
import { invalid, tooMany } from "./errors.js";
import type { RegistryLimits } from "./limits.js";
import { byOrder } from "./ordered-view.js";
import { type Page, type PageRequest, pageOf } from "./page.js";
import type { Attachment, RegisteredThing, Thing } from "./thing.js";
import type { ThingTable } from "./thing-table.js";

/** AWS: how a thing and a principal belong together. */
export type ThingPrincipalType = "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";

/** A thing and a principal of it; `principal` is a certificate's ARN, or the name of another principal. */
export interface ThingPrincipalRequest {
  readonly thingName: string;
  readonly principal: string;
}

/** A thing as a principal sees it. */
export interface PrincipalThing {
  readonly thing: RegisteredThing;
  readonly isExclusive: boolean;
}

export interface ThingPrincipalsOptions {
  readonly limits: RegistryLimits;
  readonly changes: RegistryChanges;
  readonly records: RecordBook;
  readonly things: ThingTable;
}

const NO_THINGS: readonly Thing[] = [];

/**
 * Which principals things have. Certificates are known by their ids, so that an ARN of any region finds them;
 * Amazon Cognito identities by their names. A thing's record has its principals; things by principal are derived.
 */
export class ThingPrincipals {
  private readonly things = new Map<string, Thing[]>();
  private exists: (principal: string) => boolean = () => true;

  constructor(private readonly parts: ThingPrincipalsOptions) {
    parts.records.whenRestored(() => this.rebuild());
  }

  /** @param exists Tells whether a principal (a certificate id, or the name of another) may be attached to things. */
  checkWith(exists: (principal: string) => boolean): void {
    this.exists = exists;
  }

  /** Attaching again changes nothing but, if need be, the type. Default NON_EXCLUSIVE_THING. */
  attach(request: ThingPrincipalRequest & { readonly thingPrincipalType?: ThingPrincipalType }): void {
    const { changes, limits, things } = this.parts;
    const thing = things.get(request.thingName);
    const principal = principalOf(request.principal);
    if (!this.exists(principal)) throw noSuchPrincipal(request.principal);
    const isExclusive = request.thingPrincipalType === "EXCLUSIVE_THING";
    const before = thing.attachments.find((attachment) => attachment.principal === principal);
    if (before?.isExclusive === isExclusive) return;
    this.assertUnclaimed(thing, principal, isExclusive);
    if (before === undefined && thing.attachments.length >= limits.maxPrincipalsPerThing) {
      throw tooMany(`Thing ${thing.name} has ${thing.attachments.length} principals.`, "Detach one first.");
    }
    const others = thing.attachments.filter((attachment) => attachment !== before);
    thing.attachments = others.concat({ principal, isExclusive });
    if (before === undefined) this.enter(principal, thing);
    things.changed(thing);
    changes.announce({ kind: "principal", operation: "attached", thing, principal });
  }

  /** AWS: detaching what is not attached is ResourceNotFoundException. */
  detach(request: ThingPrincipalRequest): void {
    const { changes, things } = this.parts;
    const thing = things.get(request.thingName);
    const principal = principalOf(request.principal);
    const rest = thing.attachments.filter((attachment) => attachment.principal !== principal);
    if (rest.length === thing.attachments.length) throw noSuchPrincipal(request.principal);
    thing.attachments = rest;
    const others = this.thingsAt(principal).filter((other) => other !== thing);
    if (others.length === 0) this.things.delete(principal);
    else this.things.set(principal, others);
    things.changed(thing);
    changes.announce({ kind: "principal", operation: "detached", thing, principal });
  }

  /** AWS: a thing cannot be deleted while it has principals. */
  assertNone(thing: Thing): void {
    if (thing.attachments.length === 0) return;
    throw invalid(
      `Thing ${thing.name} is still attached to one or more principals.`,
      "Detach its principals first.",
      { thingName: thing.name },
    );
  }

  /**
   * For access control: the thing that a connection is associated with. That is the one to which the principal is
   * attached exclusively, or else the one that is named as the client id, if the principal is attached to it.
   * @param principal A certificate id, or the name of another principal.
   */
  thingOfConnection(principal: string, clientId: string): PrincipalThing | undefined {
    const [first] = this.thingsAt(principal);
    if (first === undefined) return undefined;
    if (isExclusiveTo(first, principal)) return { thing: first, isExclusive: true };
    const thing = this.parts.things.find(clientId);
    return thing !== undefined && isAttachedTo(thing, principal) ? { thing, isExclusive: false } : undefined;
  }

  /** All things of a principal, in order of attachment. @param principal As for `thingOfConnection`. */
  thingsOf(principal: string): readonly PrincipalThing[] {
    return this.thingsAt(principal).map((thing) => ({ thing, isExclusive: isExclusiveTo(thing, principal) }));
  }

  /** Is it attached to anything? AWS keeps certificates from being deleted while they are. */
  isAttached(principal: string): boolean {
    return this.things.has(principal);
  }

  /** Principals of a thing, in order of attachment. */
  ofThing(
    request: PageRequest & { readonly thingName: string; readonly thingPrincipalType?: ThingPrincipalType },
  ): Page<Attachment> {
    const wanted = wantedType(request.thingPrincipalType);
    const rows = this.parts.things
      .get(request.thingName)
      .attachments.map((attachment, order) => ({ order, attachment }));
    const page = pageOf(rows, request, ({ attachment }) => wanted(attachment.isExclusive));
    return { ...page, items: page.items.map(({ attachment }) => attachment) };
  }

  /** Things of a principal, in order of registration. */
  ofPrincipal(
    request: PageRequest & { readonly principal: string; readonly thingPrincipalType?: ThingPrincipalType },
  ): Page<PrincipalThing> {
    const principal = principalOf(request.principal);
    if (!this.exists(principal)) throw noSuchPrincipal(request.principal);
    const wanted = wantedType(request.thingPrincipalType);
    const rows = [...this.thingsAt(principal)].sort(byOrder);
    const page = pageOf(rows, request, (thing) => wanted(isExclusiveTo(thing, principal)));
    return {
      ...page,
      items: page.items.map((thing) => ({ thing, isExclusive: isExclusiveTo(thing, principal) })),
    };
  }

  private enter(principal: string, thing: Thing): void {
    const things = this.things.get(principal);
    if (things === undefined) this.things.set(principal, [thing]);
    else things.push(thing);
  }

  private thingsAt(principal: string): readonly Thing[] {
    return this.things.get(principal) ?? NO_THINGS;
  }

  private assertUnclaimed(thing: Thing, principal: string, isExclusive: boolean): void {
    const others = this.thingsAt(principal).filter((other) => other !== thing);
    const owner = others.find((other) => isExclusive || isExclusiveTo(other, principal));
    if (owner === undefined) return;
    throw invalid(
      `The principal is attached to thing ${owner.name}${isExclusive ? "" : " exclusively"}.`,
      "An exclusive principal has one thing; detach it from the other first.",
      { thingName: owner.name },
    );
  }

  private rebuild(): void {
    for (const thing of this.parts.things.rows()) {
      for (const { principal } of thing.attachments) this.enter(principal, thing);
    }
  }
}

/** The registry's name of a principal: a certificate's id, or what is no certificate as it is. */
export function principalOf(principal: string): string {
  const resource = parseArn(principal);
  return resource?.kind === "cert" ? resource.name : principal;
}

const isExclusiveTo = (thing: Thing, principal: string): boolean =>
  thing.attachments.some((attachment) => attachment.isExclusive && attachment.principal === principal);

const isAttachedTo = (thing: Thing, principal: string): boolean =>
  thing.attachments.some((attachment) => attachment.principal === principal);

const wantedType = (type: ThingPrincipalType | undefined): ((isExclusive: boolean) => boolean) =>
  type === undefined ? () => true : (isExclusive) => isExclusive === (type === "EXCLUSIVE_THING");

const noSuchPrincipal = (principal: string) =>
  cloudError("ResourceNotFoundException", `There is no principal ${principal.slice(0, 200)} here.`, {
    hint: "Give the ARN of a certificate that is registered.",
  });
