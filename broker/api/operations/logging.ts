import type { LoggingOptions, LoggingOptionsV2, LogLevel, LogTarget } from "../../identity/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

/** AWS: SkyfallMaxResults; the default is not documented. */
const DEFAULT_PAGE = 250;
const STORED = "The options are kept and told again; they do not change what this cloud logs.";

/** Logging options: AWS IoT's own logs (REF §16). */
export const loggingOperations: OperationTable = {
  GetLoggingOptions: operation((_, { cloud }) => cloud.identity.logging.get(), { lacks: STORED }),
  SetLoggingOptions: operation<{ readonly loggingOptionsPayload: LoggingOptions }>(
    ({ loggingOptionsPayload }, { cloud }) => {
      cloud.identity.logging.set(loggingOptionsPayload);
      return undefined;
    },
    { lacks: STORED },
  ),
  GetV2LoggingOptions: operation<{ readonly verbose?: boolean }>(
    ({ verbose = false }, { cloud }) => {
      const { eventConfigurations, ...options } = cloud.identity.logging.getV2();
      return verbose ? { ...options, eventConfigurations } : options;
    },
    { lacks: STORED },
  ),
  SetV2LoggingOptions: operation<LoggingOptionsV2>(
    (input, { cloud }) => {
      cloud.identity.logging.setV2(input);
      return undefined;
    },
    { lacks: STORED },
  ),
  SetV2LoggingLevel: operation<{ readonly logTarget: LogTarget; readonly logLevel: LogLevel }>(
    ({ logTarget, logLevel }, { cloud }) => {
      cloud.identity.logging.setLevel(logTarget, logLevel);
      return undefined;
    },
    { lacks: STORED },
  ),
  DeleteV2LoggingLevel: operation<LogTarget>(
    (target, { cloud }) => {
      cloud.identity.logging.deleteLevel(target);
      return undefined;
    },
    { lacks: STORED },
  ),
  ListV2LoggingLevels: operation<ListRequest & { readonly targetType?: LogTarget["targetType"] }>(
    ({ targetType, ...request }, { cloud }) => {
      const { items, nextToken } = pageByName(cloud.identity.logging.listLevels(targetType), request, {
        nameOf: ([key]) => key,
        defaultSize: DEFAULT_PAGE,
      });
      return { logTargetConfigurations: items.map(([, configuration]) => configuration), nextToken };
    },
    { lacks: STORED },
  ),
};
