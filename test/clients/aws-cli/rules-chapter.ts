import { expect, it } from "vitest";
import type { AwsCli } from "./aws-cli.js";

const ROLE = "arn:aws:iam::123456789012:role/rules";
const rule = (sql: string, more: object = {}): object => ({
  sql,
  actions: [{ republish: { roleArn: ROLE, topic: "hot", qos: 1 } }],
  awsIotSqlVersion: "2016-03-23",
  ...more,
});

export function rulesChapter(aws: AwsCli): void {
  it("creates, replaces, disables and deletes a topic rule", async () => {
    const sql = "SELECT temperature AS t FROM 'sensors/+' WHERE temperature > 40";
    await aws`iot create-topic-rule --rule-name hot_things --topic-rule-payload ${rule(sql, { description: "hot" })}`;
    const got = await aws`iot get-topic-rule --rule-name hot_things`;
    expect(got).toMatchObject({
      ruleArn: "arn:aws:iot:us-east-1:123456789012:rule/hot_things",
      rule: {
        ruleName: "hot_things",
        sql,
        description: "hot",
        ruleDisabled: false,
        awsIotSqlVersion: "2016-03-23",
      },
    });
    expect(got.rule.actions).toEqual([{ republish: { roleArn: ROLE, topic: "hot", qos: 1 } }]);
    expect(
      await aws.refused`iot create-topic-rule --rule-name hot_things --topic-rule-payload ${rule(sql)}`,
    ).toMatchObject({ name: "ResourceAlreadyExistsException" });
    await aws`iot disable-topic-rule --rule-name hot_things`;
    expect((await aws`iot get-topic-rule --rule-name hot_things`).rule.ruleDisabled).toBe(true);
    await aws`iot enable-topic-rule --rule-name hot_things`;
    await aws`iot replace-topic-rule --rule-name hot_things --topic-rule-payload ${rule("SELECT * FROM 'other'")}`;
    expect((await aws`iot get-topic-rule --rule-name hot_things`).rule).toMatchObject({
      sql: "SELECT * FROM 'other'",
    });
    const { rules } = await aws`iot list-topic-rules`;
    expect(rules).toMatchObject([{ ruleName: "hot_things", topicPattern: "other", ruleDisabled: false }]);
    expect((await aws`iot list-topic-rules --topic other`).rules).toHaveLength(1);
    expect((await aws`iot list-topic-rules --topic nothing/here`).rules).toEqual([]);
    await aws`iot delete-topic-rule --rule-name hot_things`;
    expect(await aws.refused`iot get-topic-rule --rule-name hot_things`).toMatchObject({
      name: "UnauthorizedException",
    });
  });

  it("refuses SQL that does not parse, and names with hyphens", async () => {
    expect(
      await aws.refused`iot create-topic-rule --rule-name broken --topic-rule-payload ${rule("SELEKT * FROM 'x'")}`,
    ).toMatchObject({ name: "SqlParseException", operation: "CreateTopicRule" });
    expect(
      await aws.refused`iot create-topic-rule --rule-name with-hyphen --topic-rule-payload ${rule("SELECT * FROM 'x'")}`,
    ).toMatchObject({ name: "InvalidRequestException" });
  });
}
