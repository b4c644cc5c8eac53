/**
 * Serial ports where boards may be attached, by the names Linux gives USB adapters: `ttyUSB` for bridges such as
 * CP2102 and CH340, `ttyACM` for the ESP32's own USB. Names only: nothing is opened, so no board is reset.
 */
const SERIAL_PORT = /^tty(?:USB|ACM)(\d+)$/;

/**
 * @param list Names in a folder; empty when there is no such folder.
 * @returns Device paths, by kind and then by number.
 */
export function findSerialPorts(list: (folder: string) => readonly string[]): string[] {
  return list("/dev")
    .flatMap((name) => {
      const match = SERIAL_PORT.exec(name);
      return match === null ? [] : [{ name, kind: name.slice(0, 6), number: Number(match[1]) }];
    })
    .sort((a, b) => (a.kind === b.kind ? a.number - b.number : a.kind < b.kind ? -1 : 1))
    .map(({ name }) => `/dev/${name}`);
}
