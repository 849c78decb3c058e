package dev.twinhost;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Something that cdk-nag finds fault with, an error or a warning of it, or that a rule of it could not look at.
 *
 * @param rule with what was found, where the rule names it, as in {@code AwsSolutions-IAM5[Resource::*]}
 * @param at the path of the construct, from its stack on
 */
record Finding(String rule, String at) {
    private static final Pattern MESSAGE =
            Pattern.compile("((?:AwsSolutions-|CdkNagValidationFailure)\\w*(?:\\[.*?])?): .*", Pattern.DOTALL);

    static Optional<Finding> of(String construct, String message) {
        Matcher matcher = MESSAGE.matcher(message);
        return matcher.matches()
                ? Optional.of(new Finding(matcher.group(1), construct.substring(1)))
                : Optional.empty();
    }
}
