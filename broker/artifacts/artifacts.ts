import type { Clock, Random } from "fleetrig/kernel";
import type { HttpRequest, HttpResponse } from "../api/http.js";
import { type ArtifactName, parseArtifactPath, parseS3Url } from "./artifact-name.js";
import { ArtifactServer } from "./artifact-server.js";
import type { ArtifactStore } from "./artifact-store.js";
import { MemoryArtifacts } from "./memory-artifacts.js";
import { Presigner } from "./presigner.js";

/** What artifacts are made of; everything has a default. */
export interface ArtifactSettings {
  /** Default: in memory. */
  readonly store?: ArtifactStore;
  /** Fetch without a signature. Default false, as with S3. */
  readonly isPublic?: boolean;
  /** Where clients reach them, such as `https://127.0.0.1:8443`; can be set later. */
  readonly baseUrl?: string;
}

export interface ArtifactsOptions extends ArtifactSettings {
  readonly clock: Clock;
  /** Where the secret of presigned URLs is drawn from: URLs end with the process. */
  readonly random: Random;
}

const SECRET_WORDS = 8;
const S3_ENDPOINT = "https://s3.amazonaws.com";

/** What S3 is to AWS IoT: files for updates and job documents, and the URLs that open them for a while. */
export class Artifacts {
  readonly store: ArtifactStore;
  /** Presigned URLs begin with it; until it is set they keep the address that was asked for. */
  baseUrl: string | undefined;
  private readonly presigner: Presigner;
  private readonly server: ArtifactServer;

  constructor({ clock, random, store, isPublic = false, baseUrl }: ArtifactsOptions) {
    const secret = Buffer.alloc(4 * SECRET_WORDS);
    for (let word = 0; word < SECRET_WORDS; word += 1) secret.writeUInt32LE(random.uint32(), 4 * word);
    this.store = store ?? new MemoryArtifacts({ clock });
    this.presigner = new Presigner({ clock, secret });
    this.baseUrl = baseUrl;
    this.server = new ArtifactServer({ store: this.store, presigner: this.presigner, isPublic });
  }

  /** For a gateway. @returns undefined for requests that are none of its business. */
  handle(request: HttpRequest): HttpResponse | undefined {
    return this.server.handle(request);
  }

  /** What an S3 URL, or one of our own, names; undefined for every other URL. */
  locate(text: string): ArtifactName | undefined {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined) return undefined;
    const isOurs = this.baseUrl !== undefined && url.origin === new URL(this.baseUrl).origin;
    return isOurs ? parseArtifactPath(url.pathname.slice(1)) : parseS3Url(url);
  }

  /** An artifact as text; undefined when it does not exist or is larger. */
  text(name: ArtifactName, maxBytes: number): string | undefined {
    const artifact = this.store.find(name);
    if (artifact === undefined || artifact.sizeBytes > maxBytes) return undefined;
    return Buffer.from(artifact.read(0, artifact.sizeBytes)).toString();
  }

  /** @param expiresInS 1 to 604,800. */
  presign(name: ArtifactName, expiresInS: number): string {
    return this.presigner.sign(name, this.baseUrl ?? S3_ENDPOINT, expiresInS);
  }
}
