package dev.twinhost.settings;

import java.util.Arrays;

/**
 * The parts of AWS that share no accounts, each with its own names. Its isolated ones, which are for governments and
 * described nowhere in public, are none of them.
 */
// https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/region-info/lib/aws-entities.ts (PARTITION_MAP)
enum Partition {
    CHINA("aws-cn", "cn-", "amazonaws.com.cn"),
    GOV_CLOUD("aws-us-gov", "us-gov-", "amazonaws.com"),
    EUROPEAN_SOVEREIGN_CLOUD("aws-eusc", "eusc-", "amazonaws.eu"),
    STANDARD("aws", "", "amazonaws.com");

    private final String arn;
    private final String regions;
    private final String domain;

    Partition(String arn, String regions, String domain) {
        this.arn = arn;
        this.regions = regions;
        this.domain = domain;
    }

    static Partition of(String region) {
        return Arrays.stream(values())
                .filter(partition -> region.startsWith(partition.regions))
                .findFirst()
                .orElseThrow();
    }

    /** Whether a region is in one of the isolated parts. */
    static boolean isIsolated(String region) {
        return region.matches("[a-z]+-iso[a-z]?-.*");
    }

    /** As ARNs begin in it. */
    String arn() {
        return "arn:" + arn;
    }

    /** What the names of its services end in. */
    String domain() {
        return domain;
    }
}
