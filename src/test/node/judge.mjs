// judge.mjs: says of each request whether IAM would allow it. Reads a request a line, as JSON, and answers each with a line:
//   {"principal": ARN, or null where nothing is signed, "account": ID, "action": "service:Name", "resource": ARN or "*",
//    "context": {condition key: value}, "policies": [identity policy, …], "resourcePolicy": policy or null}
//   {"allowed": true or false, "why": as IAM ends its messages}
// What cannot be judged is denied: an action or a condition key that the Service Authorization Reference does not have, a resource of a
// type that the action does not take, a policy with an error.
import { createInterface } from "node:readline";
import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";

const list = (value) => (Array.isArray(value) ? value : [value]);

// Where a call names nothing, IAM is asked about "*" itself, which only an Allow on "*" matches; the library would take it for a pattern.
const onEverything = (policy) => ({
  ...policy,
  Statement: list(policy.Statement).filter(
    (statement) => statement.Effect !== "Allow" || list(statement.Resource ?? []).includes("*"),
  ),
});

async function judge({ principal, account, action, resource, context, policies, resourcePolicy }) {
  const result = await runSimulation(
    {
      request: {
        principal: principal ?? anonymousPrincipal,
        action,
        // A star within the ARN of a call is a character like any other.
        resource: { resource: resource === "*" ? "*" : resource.replaceAll("*", "%2A"), accountId: account },
        contextVariables: context,
      },
      identityPolicies: policies.map((policy, number) => ({
        name: `policy ${number + 1}`,
        policy: resource === "*" ? onEverything(policy) : policy,
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy && { resourcePolicy }),
    },
    {},
  );
  if (result.resultType === "error") {
    return denied(`as it cannot be judged: ${JSON.stringify(result.errors)}`);
  }
  const parts = result.resultType === "single" ? [result.result] : result.results;
  const unknown = parts.flatMap((part) => part.ignoredContextKeys ?? []);
  if (unknown.length > 0) {
    return denied(`as it cannot be judged: IAM has no condition key ${unknown.join(", ")} for it`);
  }
  if (result.overallResult === "Allowed") {
    return { allowed: true, why: "" };
  }
  if (result.overallResult === "ExplicitlyDenied") {
    const byResource = parts.some((part) => part.analysis.resourceAnalysis?.denyStatements?.length > 0);
    return denied(`with an explicit deny in ${byResource ? "a resource-based" : "an identity-based"} policy`);
  }
  return denied(`because no identity-based policy allows the ${action} action`);
}

const denied = (why) => ({ allowed: false, why });

for await (const line of createInterface({ input: process.stdin })) {
  let verdict;
  try {
    verdict = await judge(JSON.parse(line));
  } catch (error) {
    verdict = denied(`as it cannot be judged: ${error.message}`);
  }
  console.log(JSON.stringify(verdict));
}
