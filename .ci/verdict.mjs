// Says last, where a log that was cut still has it, which tests failed and why: of the JSON report of `npm test`.
import { readFileSync } from "node:fs";

const LINES_PER_FAILURE = 12;
/** A run that ended before it could report. */
const NO_REPORT = {
  testResults: [{ name: "tests", message: "they ended without a report", assertionResults: [] }],
  numPassedTests: 0,
  numFailedTests: 1,
};

const json = readFileSync(process.argv[2], "utf8");
const { testResults, numPassedTests, numFailedTests } = json === "" ? NO_REPORT : JSON.parse(json);
for (const { name, message, assertionResults } of testResults) {
  const failed = assertionResults.filter(({ status }) => status === "failed");
  for (const { fullName, failureMessages } of failed) {
    console.log(`failed: ${name}: ${fullName}`);
    for (const line of failureMessages.join("\n").split("\n").slice(0, LINES_PER_FAILURE)) console.log(`  ${line}`);
  }
  if (failed.length === 0 && message !== "") console.log(`failed: ${name}: ${message}`);
}
console.log(`${numPassedTests} passed, ${numFailedTests} failed`);
