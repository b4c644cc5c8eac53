import type { Faker } from "@faker-js/faker";
import { faker as english } from "@faker-js/faker/locale/en";
import { EXIT, FleetrigError, type Random, nearestName } from "fleetrig/kernel";

/**
 * Invented but plausible particulars of a device: the same for the same seed and thing name, whatever else
 * the run draws. Nothing is invented before it is asked for.
 */
export class IdentityBook {
  private current: Random | undefined;
  private readonly faker: Faker;

  constructor() {
    this.faker = fakerWith({ next: () => this.current!.fraction(), seed: () => undefined });
    this.faker.setDefaultRefDate(REFERENCE_DATE);
  }

  /**
   * @param random A fresh stream for this thing and this field (`thing/<name>/identity/<field>`).
   * @throws {FleetrigError} IDENTITY_UNKNOWN_FIELD
   */
  invent(field: string, random: Random): string {
    const recipe = Object.hasOwn(RECIPES, field) ? RECIPES[field] : undefined;
    if (recipe === undefined) {
      const nearest = nearestName(field, IDENTITY_FIELDS);
      throw new FleetrigError("IDENTITY_UNKNOWN_FIELD", `Devices have no identity field "${field}".`, {
        hint: nearest === undefined ? `Known: ${IDENTITY_FIELDS.join(", ")}.` : `Did you mean ${nearest}?`,
        exitCode: EXIT.usage,
      });
    }
    this.current = random;
    return recipe(this.faker);
  }
}

/** Dates that faker derives are relative to this one, never to today. */
const REFERENCE_DATE = "2026-01-01T00:00:00.000Z";

const RECIPES: Readonly<Record<string, (faker: Faker) => string>> = {
  serial: (faker) => `FR-${faker.string.alphanumeric({ length: 10, casing: "upper" })}`,
  mac: (faker) => faker.internet.mac(),
  imei: (faker) => faker.phone.imei(),
  uuid: (faker) => faker.string.uuid(),
  site: (faker) =>
    `${faker.location.city()} ${faker.helpers.arrayElement(["Works", "Campus", "Tower", "Depot"])}`,
  room: (faker) => `${faker.number.int({ min: 1, max: 12 })}.${faker.number.int({ min: 1, max: 60 })}`,
  owner: (faker) => faker.person.fullName(),
  company: (faker) => faker.company.name(),
  firmware: (faker) => faker.system.semver(),
  latitude: (faker) => faker.location.latitude({ precision: 5 }).toFixed(5),
  longitude: (faker) => faker.location.longitude({ precision: 5 }).toFixed(5),
  manufacturedAt: (faker) => faker.date.past({ years: 3 }).toISOString().slice(0, 10),
};

/** Fields of `{identity.<field>}`. */
export const IDENTITY_FIELDS: readonly string[] = Object.keys(RECIPES);

/** The locale module exports an instance only; its class is the one to construct ours with. */
function fakerWith(randomizer: { next(): number; seed(): void }): Faker {
  const FakerOfLocale = english.constructor as new (options: {
    locale: unknown;
    randomizer: unknown;
  }) => Faker;
  return new FakerOfLocale({ locale: english.rawDefinitions, randomizer });
}
