import type { JsonObject, JsonValue } from "fleetrig/kernel";

/** A value that a managed template asks for. */
interface TemplateParameter {
  readonly key: string;
  readonly description: string;
  /** The whole value has to match it. */
  readonly regex: string;
  readonly example: string;
  readonly optional: boolean;
}

/** A job template that is there from the start. */
export interface ManagedTemplate {
  readonly templateName: string;
  readonly templateVersion: string;
  readonly description: string;
  readonly environments: readonly string[];
  readonly documentParameters: readonly TemplateParameter[];
  /** JSON with `${aws:iot:parameter:<key>}` where the values go. */
  readonly document: string;
}

const parameter = (key: string): string => `\${aws:iot:parameter:${key}}`;

const RUN_AS: TemplateParameter = {
  key: "runAsUser",
  description: "User that the handler runs as; the device's default without it.",
  regex: "(.){1,256}",
  example: "user1",
  optional: true,
};
const HANDLER_PATH: TemplateParameter = {
  key: "pathToHandler",
  description: "Folder of the handlers on the device; the device's default without it.",
  regex: "(.){1,4096}",
  example: "/home/user/.aws-iot-device-client/jobs",
  optional: true,
};
const SERVICES: TemplateParameter = {
  key: "services",
  description: "Names of the applications, separated by commas.",
  regex: "(.){1,4096}",
  example: "httpd,vsftpd",
  optional: false,
};
const PACKAGES: TemplateParameter = {
  key: "packages",
  description: "Names of the packages, separated by commas.",
  regex: "(.){1,4096}",
  example: "nginx,vim",
  optional: false,
};

const stepsOf = (name: string, input: JsonObject): JsonValue => [
  { action: { name, type: "runHandler", input, runAsUser: parameter("runAsUser") } },
];

function handlerTemplate(
  templateName: string,
  description: string,
  { handler, asks }: { readonly handler: string; readonly asks: readonly TemplateParameter[] },
): ManagedTemplate {
  const name = templateName.replace(/^AWS-/, "").replaceAll("-", " ");
  const args = asks.map(({ key }) => parameter(key));
  const input = { handler, ...(args.length > 0 && { args }), path: parameter("pathToHandler") };
  return {
    templateName,
    templateVersion: "1.0",
    description,
    environments: ["LINUX"],
    documentParameters: [...asks, RUN_AS, HANDLER_PATH],
    document: JSON.stringify({ version: "1.0", steps: stepsOf(name, input) }),
  };
}

/** The templates of AWS that this cloud has: names and parameters are AWS's, the wording is ours. */
export const MANAGED_TEMPLATES: readonly ManagedTemplate[] = [
  handlerTemplate("AWS-Download-File", "Downloads a file to a path on the device.", {
    handler: "download-file.sh",
    asks: [
      {
        key: "downloadUrl",
        description: "Where the file is; may be a placeholder for a presigned URL.",
        regex: "(.){1,4096}",
        example: "${aws:iot:s3-presigned-url:https://s3.us-east-1.amazonaws.com/bucket/key}",
        optional: false,
      },
      {
        key: "filePath",
        description: "Where the file goes, with its name.",
        regex: "(.){1,4096}",
        example: "/home/user/downloads/file",
        optional: false,
      },
    ],
  }),
  handlerTemplate("AWS-Install-Application", "Installs packages.", {
    handler: "install-packages.sh",
    asks: [PACKAGES],
  }),
  handlerTemplate("AWS-Reboot", "Reboots the device.", { handler: "reboot.sh", asks: [] }),
  handlerTemplate("AWS-Remove-Application", "Removes packages.", {
    handler: "remove-packages.sh",
    asks: [PACKAGES],
  }),
  handlerTemplate("AWS-Restart-Application", "Stops and starts applications.", {
    handler: "restart-services.sh",
    asks: [SERVICES],
  }),
  {
    templateName: "AWS-Run-Command",
    templateVersion: "1.0",
    description: "Runs a shell command.",
    environments: ["LINUX"],
    documentParameters: [
      {
        key: "command",
        description: "Program and arguments, separated by commas.",
        regex: "(.){1,4096}",
        example: "echo,hello",
        optional: false,
      },
      RUN_AS,
    ],
    document: JSON.stringify({
      version: "1.0",
      steps: [
        {
          action: {
            name: "Run Command",
            type: "runCommand",
            input: { command: parameter("command") },
            runAsUser: parameter("runAsUser"),
          },
        },
      ],
    }),
  },
  handlerTemplate("AWS-Start-Application", "Starts applications.", {
    handler: "start-services.sh",
    asks: [SERVICES],
  }),
  handlerTemplate("AWS-Stop-Application", "Stops applications.", {
    handler: "stop-services.sh",
    asks: [SERVICES],
  }),
];
