import type { JsonObject, JsonValue } from "fleetrig/kernel";
import type { Artifact } from "../artifacts/index.js";
import type { CustomCodeSigning, OtaFile, OtaProtocol } from "./ota-request.js";

/** A file as the document tells of it. */
export interface DocumentFile {
  readonly file: OtaFile;
  /** Within its stream. */
  readonly fileId: number;
  readonly artifact: Artifact;
}

export interface OtaDocumentParts {
  readonly protocols: readonly OtaProtocol[];
  /** Undefined for updates over HTTP only. */
  readonly streamId: string | undefined;
  readonly files: readonly DocumentFile[];
  /** For the addresses of artifacts. */
  readonly region: string;
}

/** The job document that FreeRTOS's OTA agent reads (REF §8). */
export function otaDocument({ protocols, streamId, files, region }: OtaDocumentParts): JsonObject {
  const overHttp = protocols.includes("HTTP");
  return {
    afr_ota: {
      protocols: [...protocols],
      ...(streamId !== undefined && { streamname: streamId }),
      files: files.map(({ file, fileId, artifact }) => ({
        filepath: file.fileName ?? "",
        filesize: artifact.sizeBytes,
        fileid: fileId,
        certfile: file.codeSigning?.customCodeSigning?.certificateChain?.certificateName ?? "",
        fileType: file.fileType ?? 0,
        ...(overHttp && { update_data_url: urlOf(artifact, region), auth_scheme: "aws.s3.presigned" }),
        ...signatureOf(file.codeSigning?.customCodeSigning),
      })),
    },
  };
}

/** A placeholder, which the device gets as a presigned URL. */
const urlOf = ({ bucket, key }: Artifact, region: string): string =>
  `\${aws:iot:s3-presigned-url:https://s3.${region}.amazonaws.com/${bucket}/${encodeURI(key)}}`;

/** Such as `sig-sha256-ecdsa`. */
function signatureOf(signing: CustomCodeSigning | undefined): Readonly<Record<string, JsonValue>> {
  const signature = signing?.signature?.inlineDocument;
  if (signature === undefined) return {};
  const { hashAlgorithm = "SHA256", signatureAlgorithm = "ECDSA" } = signing ?? {};
  const name = `sig-${hashAlgorithm}-${signatureAlgorithm}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, "");
  return { [name]: Buffer.from(signature).toString("base64") };
}
