/** What `fleetrig qualify --help` says after the options; within 80 columns. */
export const QUALIFY_HELP = `
Devices:
  --board    speaks our link: it is told who it is. With --path bridge its MQTT
             comes over the serial line, and TLS cases are not applicable; with
             --path direct it uses its own network and TLS.
  --virtual  a board that is made for this: to try it without hardware.
  --listen   any device: it is told by you where to connect, and what to trust
             and to show (written to the folder of --out). It has to keep trying.
             mqtt://host:port listens without TLS.

Cases:
  Without more, AWS's qualification set. A suite file names cases and what they
  are told, with the parameter names of Device Advisor:

    version: 1
    name: sensor
    defaults: { EXECUTION_TIMEOUT: 120 }
    cases:
      - MQTT_Connect
      - id: MQTT_Publish
        configuration: { TOPIC_FOR_PUBLISH_VALIDATION: "lab/+/climate" }
    policies: [policy.json]

Where things go:
  stdout   verdict, reasons and figures of each case
  stderr   what runs; where a device has to connect

Exit codes:
  0    every case passed, or is not applicable; warnings are allowed
  1    a case failed or is inconclusive; with --strict also one with warnings
  2    the command line or the suite is wrong
  3    no such board, or the address is taken
  130  interrupted

Examples:
  fleetrig qualify --virtual native --path direct --all --report-dir out
  fleetrig qualify --board 7c:df:a1:00:11:22 --case MQTT_Client_Puback_Qos1
  fleetrig qualify --listen 192.168.1.10:8883 --out credentials
`;
