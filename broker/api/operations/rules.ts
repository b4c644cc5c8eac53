import type { StoredRule, TopicRulePayload } from "../../rules/index.js";
import type { Tag } from "../../registry/index.js";
import { operation, type OperationTable } from "../operation.js";
import { type ListRequest, pageByName } from "../../list-page.js";

interface RuleInput {
  readonly ruleName: string;
}

interface RulePayloadInput extends RuleInput {
  readonly topicRulePayload: TopicRulePayload;
}

interface CreateRuleInput extends RulePayloadInput {
  /** As in a query: `k1=v1&k2=v2`. */
  readonly tags?: string;
}

const tagsOf = (text = ""): readonly Tag[] =>
  Array.from(new URLSearchParams(text), ([Key, Value]) => ({ Key, Value }));

interface ListInput extends ListRequest {
  readonly topic?: string;
  readonly ruleDisabled?: boolean;
}

const RECORDED = "Actions other than republish are recorded instead of being carried out.";
const DEFAULT_PAGE = 100;

function toRule({ createdAtMs, ...rule }: StoredRule): Readonly<Record<string, unknown>> {
  return { ...rule, createdAt: createdAtMs / 1000 };
}

/** Topic rules. */
export const ruleOperations: OperationTable = {
  CreateTopicRule: operation<CreateRuleInput>(
    ({ ruleName, topicRulePayload, tags: text }, { cloud }) => {
      const tags = tagsOf(text);
      cloud.tags.assertNew(tags);
      cloud.ruleDirectory.create(ruleName, topicRulePayload);
      cloud.tags.tagNew("rule", ruleName, tags);
      return undefined;
    },
    { lacks: RECORDED },
  ),
  ReplaceTopicRule: operation<RulePayloadInput>(
    ({ ruleName, topicRulePayload }, { cloud }) => {
      cloud.ruleDirectory.replace(ruleName, topicRulePayload);
      return undefined;
    },
    { lacks: RECORDED },
  ),
  GetTopicRule: operation<RuleInput>(({ ruleName }, { cloud, account }) => ({
    ruleArn: account.arn("rule", ruleName),
    rule: toRule(cloud.ruleDirectory.get(ruleName)),
  })),
  ListTopicRules: operation<ListInput>(({ topic, ruleDisabled, ...page }, { cloud, account }) => {
    const filter = {
      ...(topic !== undefined && { topic }),
      ...(ruleDisabled !== undefined && { ruleDisabled }),
    };
    const { items, nextToken } = pageByName(cloud.ruleDirectory.list(filter), page, {
      nameOf: ({ ruleName }) => ruleName,
      defaultSize: DEFAULT_PAGE,
    });
    const rules = items.map((rule) => ({
      ruleArn: account.arn("rule", rule.ruleName),
      ruleName: rule.ruleName,
      topicPattern: cloud.ruleDirectory.topicPattern(rule),
      createdAt: rule.createdAtMs / 1000,
      ruleDisabled: rule.ruleDisabled,
    }));
    return { rules, nextToken };
  }),
  EnableTopicRule: operation<RuleInput>(({ ruleName }, { cloud }) => {
    cloud.ruleDirectory.setDisabled(ruleName, false);
    return undefined;
  }),
  DisableTopicRule: operation<RuleInput>(({ ruleName }, { cloud }) => {
    cloud.ruleDirectory.setDisabled(ruleName, true);
    return undefined;
  }),
  DeleteTopicRule: operation<RuleInput>(({ ruleName }, { cloud }) => {
    cloud.ruleDirectory.delete(ruleName);
    cloud.tags.forget("rule", ruleName);
    return undefined;
  }),
};
