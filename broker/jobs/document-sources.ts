import { cloudError } from "../cloud-error.js";

/** Reads documents that are elsewhere; the port that lets the jobs service do without a network. */
export interface DocumentFetcher {
  /**
   * The text of a 200 answer, complete and within `maxBytes`. Rejects with a `CLOUD_INVALID_REQUEST` that says what
   * went wrong.
   */
  fetch(url: URL, maxBytes: number): Promise<string>;
}

export interface DocumentSourcesOptions {
  /** The text of an artifact that a URL names: `"elsewhere"` for other URLs, undefined when it does not exist. */
  readonly artifactText: (url: string, maxBytes: number) => string | "elsewhere" | undefined;
  /** Default: only artifacts can be sources. */
  readonly fetcher?: DocumentFetcher;
}

/** AWS: documents have at most 32 KiB. */
const MAX_BYTES = 32_768;

/** Where `documentSource` leads: to an artifact of this cloud, or to an HTTP server. */
export class DocumentSources {
  constructor(private readonly options: DocumentSourcesOptions) {}

  /** @throws CLOUD_INVALID_REQUEST */
  async read(source: string): Promise<string> {
    const text = this.options.artifactText(source, MAX_BYTES);
    if (text === undefined)
      throw unreadable(source, "there is no such artifact", "Put it into the cloud's artifacts first.");
    if (text !== "elsewhere") return text;
    const url = URL.canParse(source) ? new URL(source) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
      throw unreadable(source, "it is no http or https URL");
    if (this.options.fetcher === undefined)
      throw unreadable(source, "only artifacts can be sources here", "Put it into the cloud's artifacts.");
    return this.options.fetcher.fetch(url, MAX_BYTES);
  }
}

const unreadable = (source: string, why: string, hint?: string): Error =>
  cloudError("InvalidRequestException", `documentSource cannot be read: ${why}.`, {
    ...(hint !== undefined && { hint }),
    context: { documentSource: source.slice(0, 200) },
  });
