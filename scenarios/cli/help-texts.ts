import { RENDERERS } from "fleetrig/reports";
import { MAIN_PARAMETERS, PROXY_FAULTS } from "fleetrig/sim";

/** What `--help` says after the options. Lines are kept within 80 columns, as a terminal may have no more. */

export const MAIN_HELP = `
Exit codes:
  0    every expectation passed
  1    at least one expectation failed
  2    the command line or a scenario is wrong
  3    the environment failed: broker unreachable, port taken, report unwritable
  4    inconclusive: a measurement cannot be trusted
  130  interrupted by Ctrl-C, with reports of what ran until then
  143  terminated, likewise

Examples:
  fleetrig init my.yaml && fleetrig run my.yaml
  fleetrig run scenarios/library --jobs 2 --report-dir out
  fleetrig run my.yaml --seed 7 --report junit=out/junit.xml
  fleetrig run ota.yaml --sweep --jobs 2
  fleetrig report yesterday/report.json out/report.json

Every command has a --help of its own. ERRORS.md explains the codes that end
error messages, such as SCENARIO_UNKNOWN_KEY.
`;

const KINDS = Object.entries(RENDERERS)
  .map(([kind, { description }]) => `  ${kind.padEnd(10)} ${description}`)
  .join("\n");

export const RUN_HELP = `
Files:
  A folder stands for the scenarios directly in it. Globs know *, ? and **;
  quote them so that the shell leaves them alone. Folders named must-fail are
  only entered when they are named.

Report kinds:
${KINDS}

Boards:
  Members that should be boards and have none take no part; what is expected of
  them alone is skipped, and shown as skipped. A run that shows nothing else is
  inconclusive (4). With --require-boards a missing board breaks the run (3).
  A head count of everybody, such as connections.online == 16, fails without
  them and says who is missing; == 100% counts those that take part.

Where things go:
  stdout   the result of each run, and one line for all of them
  stderr   progress; nothing of it with --quiet
  GitHub   in a workflow, also the job summary and annotations on scenario lines
  Colour is used on terminals only, and not with NO_COLOR.

Reproducing:
  A run in virtual time is a function of scenario, seed and version: the same
  three give the same report, byte for byte, apart from its environment block.
  What fails is shown with the command that repeats it.

Interrupting:
  Ctrl-C ends the runs under way and reports what was measured until then; a
  second one ends the process at once.
`;

export const LIST_HELP = `
Examples:
  fleetrig list scenarios/library --tag smoke
  fleetrig list --metrics               what expectations can name
  fleetrig list --faults                what inject can name
  fleetrig list --models --json
`;

export const REPORT_HELP = `
Report kinds:
${KINDS}

With one record the report is shown, or written as --report asks. With two,
they are compared and the command ends with 1 when they differ. Runs that
measured different things are said not to be comparable.
`;

const FAULT_LINES = [...PROXY_FAULTS]
  .flatMap(([name, { description, parameters }]) => {
    const line = `  ${name.slice(name.indexOf(".") + 1)}`.padEnd(16) + description;
    const takes = Object.entries(parameters).map(([parameter, { kind }]) => {
      const shown = kind === parameter ? parameter : `${parameter} (${kind})`;
      return MAIN_PARAMETERS.get(name) === parameter ? `=${shown}` : shown;
    });
    return takes.length === 0 ? [line] : [line, `${" ".repeat(16)}${takes.join(", ")}`];
  })
  .join("\n");

export const PROXY_HELP = `
Faults:
${FAULT_LINES}

Writing a fault:
  name=value,key=value,...   the value after the name is the parameter with =
  direction=up               only towards the broker; down: only to the client
  at=30s,for=10s             when it begins and how long it lasts
  client=sensor-*            only clients with such an identifier (*, ?)
  Positions of drop-publish are joined by +: drop-publish=0+3,direction=up

What it does:
  A client identifier has its own faults and its own random draws: they stay
  over reconnects, and with the same --seed they are those of the scenario's
  thing of that name. A client is let through to the broker once its CONNECT
  has come. Packets are looked at, except with --raw, and passed on as they
  came, except with corrupt.

Examples:
  fleetrig proxy --listen mqtt://127.0.0.1:1884 --to mqtt://127.0.0.1:1883 \\
    --fault latency=100ms,jitter=20ms --fault stall=10s,at=30s
  fleetrig proxy --listen mqtts://127.0.0.1:8884 --to mqtts://broker:8883 \\
    --raw --fault loss=5% --fault reset,at=1m

Ctrl-C shows the counters and ends with 0.
`;

export const BROKER_HELP = `
Listeners:
  mqtt://host:port, mqtts://host:port, ws://host:port/mqtt, wss://, unix:/path
  Port 0 takes any free one. Beyond this machine a listener needs client
  certificates, or --insecure.

Limits:
  --limit takes the names of createBroker's limits: whole numbers, sizes such as
  64KiB, or unlimited. An unknown name is answered with the nearest.

Watching:
  --http serves /health and /metrics (Prometheus) to this machine; /clients and
  /slow-subscribers want the token shown at start, or that of the environment
  variable FLEETRIG_HTTP_TOKEN. Beyond this machine only the bare status of
  /health goes without it. $SYS/broker/... has the same figures over MQTT, with
  mosquitto's names; profile aws has none.

Where things go:
  stdout   one block, or with --json one line, once clients can connect
  stderr   the log: of each kind ten lines in ten seconds, the rest is counted

Ending:
  Ctrl-C or SIGTERM tells clients, writes what is left and ends with 0; after
  five seconds, or with a second signal, it ends at once.

Examples:
  fleetrig broker --data ./data --http 127.0.0.1:9090
  fleetrig broker --listen mqtt://127.0.0.1:0 --profile aws --json
  fleetrig broker --listen mqtts://0.0.0.0:8883 --tls-cert server.pem \\
    --tls-key server.key --tls-ca devices.pem --require-client-cert
`;

export const LINT_POLICY_HELP = `
What it finds:
  Grants that grant nothing (iot:Receive on topicfilter/, iot:Subscribe on
  topic/, + and # in topics, unknown actions and variables, ARNs with
  placeholders), messages that nothing may receive, replies to requests that
  nothing may publish, Denies that filters with wildcards get around, client
  identifiers that anyone may choose, grants of everything. Each has a fix.

Where things go:
  stdout   the findings, or with --json one object per line
  stderr   files that cannot be read

Exit codes:
  0  nothing worse than info   1  an error or warning   2  a file is unreadable

Examples:
  fleetrig lint-policy policies/*.json
  aws iot get-policy --policy-name p --query policyDocument --output text \\
    | fleetrig lint-policy -
`;

export const CLOUD_HELP = `
Doors:
  8883  MQTT over TLS with client certificates
  8443  HTTPS with client certificates: publish, shadows, jobs, credentials
  8444  what AWS has on 443; ALPN tells them apart: x-amzn-mqtt-ca and mqtt are
        MQTT, x-amzn-http-ca, http/1.1 and none are HTTPS, wss://host:8444/mqtt
  1883  MQTT without TLS, on this machine only
  8440  APIs for the AWS CLI and SDKs (--endpoint-url), /health, /metrics and
        ws://127.0.0.1:8440/mqtt, on this machine only
  Port 0 takes any free one, off closes a door. Certificates are checked by what
  is registered here, not by who signed them.

Who may do what:
  Devices may do what their policies say. Whoever is on this machine may do
  everything over the APIs, unless --credentials names keys: then requests have
  to be signed with them (SigV4, headers or query). A file has the format of
  ~/.aws/credentials; env takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
  From beyond this machine nothing goes without a certificate or a signature.

Certificates:
  The server has its own certificate authority. With --data its key is
  pki/ca.key in that folder, for its owner only; without, it is gone at the end.
  Clients need the file shown as ca.

Names:
  Requests whose Host is another name are refused with 421, because a web page
  could make its name point here. --allow-host adds names; AWS's own, such as
  xyz-ats.iot.eu-west-1.amazonaws.com, are served as they are, with a
  certificate for them.

Where things go:
  stdout   one block, or with --json one line, once clients can connect
  stderr   the log: of each kind ten lines in ten seconds, the rest is counted

Ending:
  Ctrl-C or SIGTERM answers what was asked, tells clients, writes what is left
  and ends with 0; after five seconds, or with a second signal, at once.

Examples:
  fleetrig cloud --data ./cloud --explain
  fleetrig cloud --mqtts-port 0 --http-port 0 --json
  fleetrig cloud --host 0.0.0.0 --allow-host cloud.lab \\
    --credentials ~/.aws/credentials
`;

export const DOCTOR_HELP = `
Ends with 3 when something is missing that every run needs. What is optional is
needed by some scenarios or by fleetrig's own tests.
`;

export const SCHEMA_HELP = `
Editors that speak YAML complete and check scenarios with it:
  fleetrig schema > scenario.schema.json
and on top of a scenario:
  # yaml-language-server: $schema=./scenario.schema.json
`;
