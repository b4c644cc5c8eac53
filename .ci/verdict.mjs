// Says last, where a log that was cut still has it, which tests failed and why: of the JSON report of `npm test`.
import { readFileSync } from "node:fs";

const LINES_PER_FAILURE = 12;

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const { name, message, assertionResults } of report.testResults) {
  const failed = assertionResults.filter(({ status }) => status === "failed");
  for (const { fullName, failureMessages } of failed) {
    console.log(`failed: ${name}: ${fullName}`);
    for (const line of failureMessages.join("\n").split("\n").slice(0, LINES_PER_FAILURE)) console.log(`  ${line}`);
  }
  if (failed.length === 0 && message !== "") console.log(`failed: ${name}: ${message}`);
}
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`);
