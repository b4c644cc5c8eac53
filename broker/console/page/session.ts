/** The token comes in the address's fragment, which is never sent anywhere, and stays in this tab. */
const STORED = "fleetrig-token";

function tokenOfPage(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return sessionStorage.getItem(STORED) ?? "";
  sessionStorage.setItem(STORED, given);
  history.replaceState(null, "", location.pathname);
  return given;
}

const token = tokenOfPage();

/** The server refused, with its own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    sentence: string,
  ) {
    super(sentence);
  }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(`api/${path}`, { ...init, headers });
  if (response.ok) return response;
  const { message } = (await response.json()) as { message: string };
  throw new Refusal(response.status, message);
}

/** The answer is what the page that asks expects: both come from the same server. */
export async function read<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
}

export async function send(path: string, body: unknown): Promise<void> {
  await ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Lines of JSON as they come, until `signal` ends it. */
export async function follow(
  path: string,
  signal: AbortSignal,
  take: (item: unknown) => void,
): Promise<void> {
  const { body } = await ask(path, { signal });
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") take(JSON.parse(line));
  }
}
