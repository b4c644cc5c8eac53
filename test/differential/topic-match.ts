/** §4.7 once more, for the model: it is not to share a mistake with the broker. */
export function topicMatches(filter: string, topic: string): boolean {
  const pattern = filter
    .split("/")
    .map((level) => {
      if (level === "+") return "[^/]*";
      return level === "#" ? "#" : level.replace(/[$()*.?[\\\]^{|}]/g, "\\$&");
    })
    .join("/")
    .replace(/\/#$/, "(/.*)?")
    .replace(/^#$/, ".*");
  return new RegExp(`^${pattern}$`, "s").test(topic);
}
