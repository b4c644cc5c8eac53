import { expect, it } from "vitest";
import type { AwsCli, Json } from "./aws-cli.js";

const ARN = "arn:aws:iot:us-east-1:123456789012";
const namesOf = (rows: readonly Json[], member: string): readonly string[] => rows.map((row) => row[member]);

export function thingsChapter(aws: AwsCli): void {
  it("creates a thing once, and shows it", async () => {
    const attributes = { attributes: { model: "123", site: "north" } };
    const created = await aws`iot create-thing --thing-name pump-1 --attribute-payload ${attributes}`;
    expect(created).toEqual({
      thingName: "pump-1",
      thingArn: `${ARN}:thing/pump-1`,
      thingId: expect.any(String),
    });
    // The same again is no conflict, something else is.
    expect(await aws`iot create-thing --thing-name pump-1 --attribute-payload ${attributes}`).toEqual(
      created,
    );
    expect(await aws.refused`iot create-thing --thing-name pump-1`).toMatchObject({
      name: "ResourceAlreadyExistsException",
      operation: "CreateThing",
    });
    expect(await aws`iot describe-thing --thing-name pump-1`).toEqual({
      ...created,
      defaultClientId: "pump-1",
      attributes: attributes.attributes,
      version: 1,
    });
    expect(await aws.refused`iot describe-thing --thing-name nobody`).toMatchObject({
      name: "ResourceNotFoundException",
      operation: "DescribeThing",
      message: expect.stringContaining("nobody"),
    });
    expect(await aws.refused`iot create-thing --thing-name ${"with space"}`).toMatchObject({
      name: "InvalidRequestException",
    });
  });

  it("updates attributes under the version that is expected", async () => {
    await aws`iot create-thing --thing-name pump-2 --attribute-payload ${{ attributes: { a: "1", b: "2" } }}`;
    await aws`iot update-thing --thing-name pump-2 --attribute-payload ${{ attributes: { b: "", c: "3" }, merge: true }} --expected-version 1`;
    expect(
      await aws.refused`iot update-thing --thing-name pump-2 --attribute-payload ${{ attributes: {} }} --expected-version 1`,
    ).toMatchObject({ name: "VersionConflictException", operation: "UpdateThing" });
    expect(await aws`iot describe-thing --thing-name pump-2`).toMatchObject({
      attributes: { a: "1", c: "3" },
      version: 2,
    });
    expect(await aws.refused`iot delete-thing --thing-name pump-2 --expected-version 1`).toMatchObject({
      name: "VersionConflictException",
    });
    await aws`iot delete-thing --thing-name pump-2 --expected-version 2`;
    // Deleting what is not there is done already.
    await aws`iot delete-thing --thing-name pump-2`;
  });

  it("gives things a type, which can be deprecated and only then deleted", async () => {
    const type =
      await aws`iot create-thing-type --thing-type-name Pump --thing-type-properties ${{ thingTypeDescription: "pumps", searchableAttributes: ["model"] }} --tags Key=owner,Value=water`;
    expect(type).toMatchObject({ thingTypeName: "Pump", thingTypeArn: `${ARN}:thingtype/Pump` });
    await aws`iot create-thing --thing-name typed --thing-type-name Pump`;
    expect(await aws`iot describe-thing-type --thing-type-name Pump`).toMatchObject({
      thingTypeProperties: { thingTypeDescription: "pumps", searchableAttributes: ["model"] },
      thingTypeMetadata: { deprecated: false, creationDate: expect.any(String) },
    });
    expect((await aws`iot list-things --thing-type-name Pump`).things).toMatchObject([
      { thingName: "typed" },
    ]);
    expect((await aws`iot list-thing-types`).thingTypes).toMatchObject([{ thingTypeName: "Pump" }]);
    expect(await aws.refused`iot create-thing --thing-name untyped --thing-type-name Nothing`).toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(await aws.refused`iot delete-thing-type --thing-type-name Pump`).toMatchObject({
      name: "InvalidRequestException",
    });
    await aws`iot deprecate-thing-type --thing-type-name Pump`;
    expect(await aws.refused`iot create-thing --thing-name late --thing-type-name Pump`).toMatchObject({
      name: "InvalidRequestException",
    });
    await aws`iot deprecate-thing-type --thing-type-name Pump --undo-deprecate`;
    await aws`iot update-thing --thing-name typed --remove-thing-type`;
    expect((await aws`iot describe-thing --thing-name typed`).thingTypeName).toBeUndefined();
  });

  it("lists things in pages, and by attribute", async () => {
    for (const name of ["list-a", "list-b", "list-c"])
      await aws`iot create-thing --thing-name ${name} --attribute-payload ${{ attributes: { listed: "yes" } }}`;
    const all = await aws`iot list-things --attribute-name listed --attribute-value yes`;
    expect(namesOf(all.things, "thingName")).toEqual(["list-a", "list-b", "list-c"]);
    const paged = await aws`iot list-things --attribute-name listed --attribute-value yes --page-size 1`;
    expect(paged).toEqual(all);
    const two = await aws`iot list-things --attribute-name listed --attribute-value yes --max-items 2`;
    const rest =
      await aws`iot list-things --attribute-name listed --attribute-value yes --starting-token ${two.NextToken}`;
    expect([...two.things, ...rest.things]).toEqual(all.things);
    expect(await aws`iot list-things --query ${"length(things[?attributes.listed=='yes'])"}`).toBe(3);
  });

  it("groups things in a hierarchy", async () => {
    const plant =
      await aws`iot create-thing-group --thing-group-name Plant --thing-group-properties ${{ thingGroupDescription: "all", attributePayload: { attributes: { site: "n" } } }}`;
    expect(plant).toMatchObject({ thingGroupName: "Plant", thingGroupArn: `${ARN}:thinggroup/Plant` });
    await aws`iot create-thing-group --thing-group-name Hall --parent-group-name Plant`;
    await aws`iot create-thing --thing-name member`;
    await aws`iot add-thing-to-thing-group --thing-name member --thing-group-name Hall`;
    await aws`iot add-thing-to-thing-group --thing-name member --thing-group-name Hall`;
    expect(await aws`iot describe-thing-group --thing-group-name Hall`).toMatchObject({
      version: 1,
      thingGroupMetadata: { parentGroupName: "Plant", rootToParentThingGroups: [{ groupName: "Plant" }] },
    });
    expect(await aws`iot list-things-in-thing-group --thing-group-name Plant`).toEqual({ things: [] });
    expect(await aws`iot list-things-in-thing-group --thing-group-name Plant --recursive`).toEqual({
      things: ["member"],
    });
    expect((await aws`iot list-thing-groups-for-thing --thing-name member`).thingGroups).toEqual([
      { groupName: "Hall", groupArn: `${ARN}:thinggroup/Hall` },
    ]);
    expect((await aws`iot list-thing-groups --parent-group Plant`).thingGroups).toMatchObject([
      { groupName: "Hall" },
    ]);
    expect(await aws.refused`iot delete-thing-group --thing-group-name Plant`).toMatchObject({
      name: "InvalidRequestException",
    });
    await aws`iot update-thing-group --thing-group-name Plant --thing-group-properties ${{ thingGroupDescription: "new" }} --expected-version 1`;
    expect(
      await aws.refused`iot update-thing-group --thing-group-name Plant --thing-group-properties ${{}} --expected-version 1`,
    ).toMatchObject({ name: "VersionConflictException" });
    await aws`iot create-thing-group --thing-group-name Yard`;
    await aws`iot update-thing-groups-for-thing --thing-name member --thing-groups-to-add Yard --thing-groups-to-remove Hall`;
    expect(await aws`iot list-things-in-thing-group --thing-group-name Yard`).toEqual({ things: ["member"] });
    await aws`iot remove-thing-from-thing-group --thing-name member --thing-group-name Yard`;
    for (const name of ["Hall", "Plant", "Yard"])
      await aws`iot delete-thing-group --thing-group-name ${name}`;
    expect(await aws.refused`iot describe-thing-group --thing-group-name Hall`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("keeps billing groups, one per thing", async () => {
    await aws`iot create-billing-group --billing-group-name Costs --billing-group-properties ${{ billingGroupDescription: "euros" }}`;
    await aws`iot create-thing --thing-name billed`;
    await aws`iot add-thing-to-billing-group --billing-group-name Costs --thing-name billed`;
    expect(await aws`iot list-things-in-billing-group --billing-group-name Costs`).toEqual({
      things: ["billed"],
    });
    expect((await aws`iot describe-thing --thing-name billed`).billingGroupName).toBe("Costs");
    expect(await aws`iot describe-billing-group --billing-group-name Costs`).toMatchObject({
      billingGroupArn: `${ARN}:billinggroup/Costs`,
      version: 1,
    });
    await aws`iot update-billing-group --billing-group-name Costs --billing-group-properties ${{ billingGroupDescription: "cents" }}`;
    expect(namesOf((await aws`iot list-billing-groups`).billingGroups, "groupName")).toEqual(["Costs"]);
    await aws`iot remove-thing-from-billing-group --billing-group-name Costs --thing-name billed`;
    await aws`iot delete-billing-group --billing-group-name Costs`;
    expect(await aws.refused`iot describe-billing-group --billing-group-name Costs`).toMatchObject({
      name: "ResourceNotFoundException",
    });
  });

  it("tags resources", async () => {
    const { billingGroupArn: arn } =
      await aws`iot create-billing-group --billing-group-name Tagged --tags Key=a,Value=1`;
    await aws`iot tag-resource --resource-arn ${arn} --tags Key=b,Value=2 Key=a,Value=3`;
    const { tags } = await aws`iot list-tags-for-resource --resource-arn ${arn}`;
    expect(tags).toEqual(
      expect.arrayContaining([
        { Key: "a", Value: "3" },
        { Key: "b", Value: "2" },
      ]),
    );
    await aws`iot untag-resource --resource-arn ${arn} --tag-keys a`;
    expect(await aws`iot list-tags-for-resource --resource-arn ${arn}`).toEqual({
      tags: [{ Key: "b", Value: "2" }],
    });
    expect(
      await aws.refused`iot tag-resource --resource-arn ${`${ARN}:thinggroup/None`} --tags Key=b,Value=2`,
    ).toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("ties principals to things", async () => {
    const { certificateArn } = await aws`iot create-keys-and-certificate --set-as-active`;
    await aws`iot create-thing --thing-name tied`;
    await aws`iot attach-thing-principal --thing-name tied --principal ${certificateArn}`;
    expect(await aws`iot list-thing-principals --thing-name tied`).toEqual({ principals: [certificateArn] });
    expect(await aws`iot list-principal-things --principal ${certificateArn}`).toEqual({ things: ["tied"] });
    expect(await aws.refused`iot delete-thing --thing-name tied`).toMatchObject({
      name: "InvalidRequestException",
    });
    await aws`iot detach-thing-principal --thing-name tied --principal ${certificateArn}`;
    await aws`iot delete-thing --thing-name tied`;
    expect(
      await aws.refused`iot attach-thing-principal --thing-name tied --principal ${certificateArn}`,
    ).toMatchObject({ name: "ResourceNotFoundException" });
  });
}
