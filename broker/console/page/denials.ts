import { element, table } from "./element.js";
import { read } from "./session.js";
import type { View } from "./view.js";

interface Denial {
  readonly at: string;
  readonly clientId: string;
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly reason: string;
}

export const denials: View = {
  title: "Denials",
  async refresh(place) {
    const { count, denials: latest } = await read<{ count: number; denials: readonly Denial[] }>("denials");
    place.replaceChildren(
      element("p", {}, `${count} refusals so far; the latest first.`),
      table(
        {
          Time: ({ at }: Denial) => at,
          Client: ({ clientId }) => clientId,
          Principal: ({ principal }) => (principal.length > 16 ? `${principal.slice(0, 12)}...` : principal),
          Action: ({ action }) => action,
          Resource: ({ resource }) => element("code", {}, resource),
          Reason: ({ reason }) => reason,
        },
        latest,
        "Nothing was refused.",
      ),
    );
  },
};
