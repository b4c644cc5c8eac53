export {
  type RecordedOutput,
  type RuleAction,
  RuleEngine,
  type RuleEngineOptions,
  type TraceOf,
  type TopicRule,
} from "./engine.js";
export type { BinaryOperator, Expression, RuleStatement, SelectItem } from "./sql-ast.js";
export { parseRuleSql } from "./sql-parser.js";
export { compileTemplate } from "./template.js";
export { RuleDirectory, type StoredRule, type TopicRulePayload } from "./rule-directory.js";
