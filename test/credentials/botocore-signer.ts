import { spawnSync } from "node:child_process";

/** A request as botocore signed it. */
export interface SignedRequest {
  readonly kind: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signs requests with all that is odd about paths, queries, headers and bodies, in headers and in queries. */
const SCRIPT = `
import json, random, sys, datetime
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from urllib.parse import quote, urlsplit

count, seed, at = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
now = datetime.datetime.strptime(at, "%Y%m%dT%H%M%SZ")
class Frozen(datetime.datetime):
    @classmethod
    def utcnow(cls): return now
    @classmethod
    def now(cls, tz=None): return now.replace(tzinfo=tz)
class Module: datetime = Frozen
botocore.auth.datetime = Module if hasattr(botocore.auth.datetime, "datetime") else Frozen
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: now

pick = random.Random(seed)
letters = "abcXYZ019-._~ /%+&=#?:@!$'()*,;[]|\\\\\\"<>^{}\\u00e9\\u20ac\\U0001f600\\t"
word = lambda most=12: "".join(pick.choice(letters) for _ in range(pick.randrange(1, most)))
out = []
for _ in range(count):
    kind = pick.choice(["header", "header", "query", "websocket"])
    token = pick.choice([None, "FwoGZ/" + word(40).encode("unicode_escape").decode().replace("\\\\", "") + "=="])
    keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    method = "GET" if kind == "websocket" else pick.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
    path = "/mqtt" if kind == "websocket" else "/" + "/".join(quote(word(), safe="") for _ in range(pick.randrange(0, 4)))
    query = "&".join(quote(word(), safe="-._~") + "=" + quote(word(), safe="-._~") for _ in range(pick.randrange(0, 4)))
    url = "http://127.0.0.1:8080" + path + ("?" + query if query else "")
    body = "" if kind != "header" or method == "GET" else json.dumps({"word": word(40)})
    headers = {"Content-Type": "application/json", "X-Amz-Custom": " " + pick.choice(["a", "a  b   c", "x,y"]) + " "} if kind == "header" else {}
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    region, service = pick.choice(["us-east-1", "eu-central-1"]), pick.choice(["iot", "iotdata", "iotdevicegateway"])
    if kind == "header":
        botocore.auth.SigV4Auth(keys, service, region).add_auth(request)
    elif kind == "query":
        botocore.auth.SigV4QueryAuth(keys, service, region, expires=60).add_auth(request)
    else:
        # The token is added after signing.
        bare = Credentials(keys.access_key, keys.secret_key)
        botocore.auth.SigV4QueryAuth(bare, "iotdevicegateway", region, expires=86400).add_auth(request)
        if token: request.url += "&X-Amz-Security-Token=" + quote(token, safe="")
    parts = urlsplit(request.url)
    signed = {name.lower(): value for name, value in request.headers.items()}
    signed.setdefault("host", "127.0.0.1:8080")
    out.append({"kind": kind, "method": method, "target": parts.path + ("?" + parts.query if parts.query else ""),
                "headers": signed, "body": body, "token": token})
print(json.dumps(out))
`;

/** @param at Time of signing, `YYYYMMDDTHHMMSSZ`. */
export function signWithBotocore(
  count: number,
  seed: number,
  at: string,
): readonly (SignedRequest & { readonly token: string | null })[] {
  const { stdout, stderr, status } = spawnSync("python3", ["-c", SCRIPT, String(count), String(seed), at], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new TypeError(stderr);
  return JSON.parse(stdout) as (SignedRequest & { token: string | null })[];
}
