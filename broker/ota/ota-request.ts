import type { AbortCriterion, RolloutConfig, TargetSelection, TimeoutConfig } from "../jobs/index.js";

/** AWS: one file of an update. */
export interface OtaFile {
  /** Where the device puts it. */
  readonly fileName?: string;
  /** 0 to 255; means something to the device. */
  readonly fileType?: number;
  readonly fileVersion?: string;
  readonly fileLocation?: {
    readonly stream?: { readonly streamId?: string; readonly fileId?: number };
    readonly s3Location?: { readonly bucket: string; readonly key: string; readonly version?: string };
  };
  readonly codeSigning?: {
    readonly awsSignerJobId?: string;
    readonly startSigningJobParameter?: object;
    readonly customCodeSigning?: CustomCodeSigning;
  };
  readonly attributes?: Readonly<Record<string, string>>;
}

/** AWS: a signature that was made elsewhere. */
export interface CustomCodeSigning {
  readonly signature?: { readonly inlineDocument?: Uint8Array };
  readonly certificateChain?: { readonly certificateName?: string; readonly inlineDocument?: string };
  /** Such as SHA256. */
  readonly hashAlgorithm?: string;
  /** Such as ECDSA. */
  readonly signatureAlgorithm?: string;
}

export type OtaProtocol = "MQTT" | "HTTP";

/** AWS: CreateOTAUpdate. */
export interface CreateOtaUpdateRequest {
  readonly otaUpdateId: string;
  readonly description?: string;
  readonly targets: readonly string[];
  readonly protocols?: readonly OtaProtocol[];
  readonly targetSelection?: TargetSelection;
  readonly awsJobExecutionsRolloutConfig?: RolloutConfig;
  readonly awsJobPresignedUrlConfig?: { readonly expiresInSec?: number };
  readonly awsJobAbortConfig?: { readonly abortCriteriaList: readonly AbortCriterion[] };
  readonly awsJobTimeoutConfig?: TimeoutConfig;
  readonly files: readonly OtaFile[];
  readonly roleArn: string;
  readonly additionalParameters?: Readonly<Record<string, string>>;
}

/** An update with the job and the stream that bring it to the devices. */
export interface OtaUpdate extends CreateOtaUpdateRequest {
  readonly awsIotJobId: string;
  /** Undefined when its files came from a stream that was there before, or over HTTP only. */
  readonly ownStreamId?: string;
  readonly createdAtMs: number;
}
