package dev.twinhost;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Something that cdk-nag finds fault with, an error or a warning of it, or that a rule of it could not look at.
 *
 * @param rule with what was found, where the rule names it, as in {@code AwsSolutions-IAM5[Resource::*]}
 * @param at the path of the construct in its variant
 */
record Finding(String rule, String at) {
    private static final Pattern MESSAGE =
            Pattern.compile("((?:AwsSolutions-|CdkNagValidationFailure)\\w*(?:\\[.*?])?): .*", Pattern.DOTALL);

    static Optional<Finding> of(String construct, String message) {
        Matcher matcher = MESSAGE.matcher(message);
        return matcher.matches()
                ? Optional.of(new Finding(withoutPlace(matcher.group(1)), construct.substring(1)))
                : Optional.empty();
    }

    /** The same, whether the account and the region are known or not. */
    private static String withoutPlace(String rule) {
        return rule.replace("arn:aws:", "arn:<AWS::Partition>:")
                .replace(SynthesisedTemplate.ACCOUNT.get("CDK_DEFAULT_ACCOUNT"), "<AWS::AccountId>")
                .replace(SynthesisedTemplate.ACCOUNT.get("CDK_DEFAULT_REGION"), "<AWS::Region>");
    }
}
