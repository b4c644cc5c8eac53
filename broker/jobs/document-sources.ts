import type { Artifacts } from "../artifacts/index.js";
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
  readonly artifacts: Pick<Artifacts, "locate" | "text">;
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
    const { artifacts } = this.options;
    const name = artifacts.locate(source);
    if (name !== undefined) {
      const text = artifacts.text(name, MAX_BYTES);
      if (text !== undefined) return text;
      throw unreadable(
        source,
        `there is no such artifact of at most ${MAX_BYTES} bytes`,
        "Put it into the cloud's artifacts first.",
      );
    }
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
