import type { CredentialOptions } from "fleetrig/broker";
import { EXIT, FleetrigError } from "fleetrig/kernel";
import type { Host } from "../host.js";

const MAX_BYTES = 65_536;
const KEY_VARIABLE = "AWS_ACCESS_KEY_ID";
const SECRET_VARIABLE = "AWS_SECRET_ACCESS_KEY";
const TOKEN_VARIABLE = "AWS_SESSION_TOKEN";

const unreadable = (message: string): FleetrigError =>
  new FleetrigError("CLOUD_CREDENTIALS_UNREADABLE", message, {
    hint: `Give --credentials a file like ~/.aws/credentials, or env for ${KEY_VARIABLE} and ${SECRET_VARIABLE}.`,
    exitCode: EXIT.usage,
  });

/**
 * Keys that requests are to be signed with, from the environment (`env`) or from a file in the format of the AWS
 * CLI. Never from the command line, which everybody on this machine can read.
 * @throws FleetrigError `CLOUD_CREDENTIALS_UNREADABLE`, `CLI_FILE_UNREADABLE`
 */
export function readCredentials(host: Host, source: string): readonly CredentialOptions[] {
  return source === "env" ? fromEnvironment(host) : fromFile(host.files.readFile(source, MAX_BYTES), source);
}

function fromEnvironment({ env }: Host): readonly CredentialOptions[] {
  const {
    [KEY_VARIABLE]: accessKeyId,
    [SECRET_VARIABLE]: secretAccessKey,
    [TOKEN_VARIABLE]: sessionToken,
  } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unreadable(`${KEY_VARIABLE} or ${SECRET_VARIABLE} is not set.`);
  return [{ accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }];
}

function fromFile(text: string, path: string): readonly CredentialOptions[] {
  const found: CredentialOptions[] = [];
  for (const [profile, keys] of profilesOf(text)) {
    const accessKeyId = keys.get("aws_access_key_id");
    const secretAccessKey = keys.get("aws_secret_access_key");
    // Profiles that take their keys from elsewhere are none of ours.
    if (accessKeyId === undefined || secretAccessKey === undefined) continue;
    const sessionToken = keys.get("aws_session_token");
    found.push({
      accessKeyId,
      secretAccessKey,
      userName: profile,
      ...(sessionToken !== undefined && { sessionToken }),
    });
  }
  if (found.length === 0) throw unreadable(`${path} holds no access key.`);
  return found;
}

/** `name = value` lines by `[section]`; anything else is skipped, as the AWS CLI does. */
function profilesOf(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[([^\]]{1,128})\]\s*$/.exec(line) ?? [];
    if (section !== undefined) {
      current = new Map();
      profiles.set(section.trim().replace(/^profile /, ""), current);
      continue;
    }
    const [, name, value] = /^\s*([a-z_]{1,64})\s*=\s*(\S{1,4096})\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) current?.set(name, value);
  }
  return profiles;
}
