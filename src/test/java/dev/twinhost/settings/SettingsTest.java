package dev.twinhost.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static final boolean ACCOUNT_KNOWN = true;

    private static final Path HERE = Path.of("");

    private static final String ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db_password-AbCdEf";

    private static final Map<String, Object> REQUIRED = Map.of(
            "domain", "shop.example.org", "email", "ops@shop.example.org", "hostedZoneId", "Z0123456789ABCDEFGHIJ");

    @Test
    void shouldTakeTheDocumentedDefaults() {
        assertThat(read(REQUIRED))
                .isEqualTo(new Settings(
                        Optional.empty(),
                        "shop.example.org",
                        "ops@shop.example.org",
                        Optional.of("Z0123456789ABCDEFGHIJ"),
                        Dns.ALL,
                        100,
                        false,
                        Optional.empty(),
                        Optional.empty(),
                        80,
                        2,
                        60,
                        Optional.empty(),
                        Map.of(),
                        Map.of(),
                        "t4g.small",
                        "t4g.micro",
                        true,
                        Optional.empty(),
                        3,
                        "10.42.0.0/16",
                        0,
                        Optional.empty(),
                        "production",
                        Optional.empty(),
                        List.of(),
                        "256m",
                        1000,
                        false,
                        false,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty()));
    }

    @Test
    void shouldTakeTextFromTheCommandLineAndTypedValuesFromTheFileAlike() {
        Settings typed = read(with(Map.of(
                "dnsWeight",
                0,
                "appPort",
                8080.0,
                "witness",
                false,
                "zones",
                2,
                "maintenance",
                true,
                "hstsPreload",
                true)));
        Settings text = read(with(Map.of(
                "dnsWeight",
                "0",
                "appPort",
                "8080",
                "witness",
                "false",
                "zones",
                "2",
                "maintenance",
                "true",
                "hstsPreload",
                "true")));

        assertThat(text).isEqualTo(typed);
        assertThat(typed.appPort()).isEqualTo(8080);
        assertThat(typed.witness()).isFalse();
        assertThat(typed.maintenance()).isTrue();
        assertThat(typed.hstsPreload()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "Shop.Example.ORG, shop.example.org",
        "bücher.example.org, xn--bcher-kva.example.org",
        "BÜCHER.example.org, xn--bcher-kva.example.org",
        "例え.jp, xn--r8jz45g.jp",
        "xn--bcher-kva.example.org, xn--bcher-kva.example.org"
    })
    void shouldBringADomainIntoLowerCaseAscii(String written, String expected) {
        Settings settings = read(with("domain", written));

        assertThat(settings.domain()).isEqualTo(expected);
        assertThat(settings.www()).isEqualTo("www." + expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "shop",
                "shop.example.org.",
                ".example.org",
                "shop..example.org",
                "-shop.example.org",
                "shop-.example.org",
                "shop_1.example.org",
                "https://shop.example.org",
                "shop.example.org/",
                "shop.example.org:443",
                "shop example.org",
                "192.0.2.1",
                "shop.local",
                "shop.test",
                "shop.internal",
                "*.example.org"
            })
    void shouldRefuseWhatIsNoPublicHostName(String domain) {
        assertThat(faultsOf("domain", domain))
                .isEqualTo("domain: is not a public host name, got \"" + domain
                        + "\", want the site's apex, such as example.org");
    }

    @ParameterizedTest
    @ValueSource(strings = {"straße.de", "a\u200db.example.org", "ςigma.gr"})
    void shouldSayWhyANameThatCanBeReadInTwoWaysIsRefused(String name) {
        String problem =
                "holds a letter (ß, ς or a joiner) that IDNA 2003 and IDNA 2008 read as two names; write it as its"
                        + " registry does, in xn-- letters, got \"" + name.replace("\u200d", "\\u200d") + "\", want ";

        assertThat(faultsOf("domain", name)).isEqualTo("domain: " + problem + "the site's apex, such as example.org");
        assertThat(faultsOf("extraDomains", List.of(name)))
                .isEqualTo("extraDomains: " + problem + "names that lead to the site, such as example.net");
    }

    @Test
    void shouldRefuseANameThatIsTooLongForWwwBeforeIt() {
        String label = "a".repeat(61);
        String longest =
                String.join(".", label, label, label, "b".repeat(59), "org").substring(0, 249);
        assertThat(read(with("domain", longest)).www()).hasSize(253);

        assertThat(faultsOf("domain", "c" + longest)).startsWith("domain: is not a public host name, got ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ｗｗｗ.example.org", "www。example.org", "Ｗww.example.org"})
    void shouldRefuseWwwAsTheApexHoweverItIsWritten(String domain) {
        assertThat(faultsOf("domain", domain)).startsWith("domain: is not an apex, got \"" + domain + "\", want ");
    }

    @Test
    void shouldRefuseWwwAsTheApex() {
        assertThat(faultsOf("domain", "WWW.example.org"))
                .isEqualTo("domain: is not an apex, got \"WWW.example.org\","
                        + " want the site's apex, such as example.org; the site adds www. to it");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ops",
                "@example.org",
                "ops@",
                "ops@localhost",
                "a b@example.org",
                "ops@@example.org",
                ".ops@example.org",
                "ops;id@example.org",
                "Ops <ops@example.org>",
                "ops@example.org, root@example.org"
            })
    void shouldRefuseWhatIsNoAddress(String email) {
        assertThat(faultsOf("email", email))
                .isEqualTo("email: is not an e-mail address, got \"" + email
                        + "\", want one address, such as ops@example.org");
    }

    @ParameterizedTest
    @CsvSource({
        "-ops@example.org, 'begins with -, which certbot takes for an option'",
        "o{{ps@example.org, 'holds {{ or }}, which Swarm takes for a template'",
        "o}}ps@example.org, 'holds {{ or }}, which Swarm takes for a template'"
    })
    void shouldRefuseAnAddressThatIsReadAsSomethingElse(String email, String problem) {
        assertThat(faultsOf("email", email))
                .isEqualTo("email: " + problem + ", got \"" + email + "\", want one address, such as ops@example.org");
        assertThat(read(with("email", "o-p{s}@example.org")).email()).isEqualTo("o-p{s}@example.org");
    }

    @Test
    void shouldTakeAZonesIdAsTheCommandLineOfAwsPrintsIt() {
        assertThat(read(with("hostedZoneId", "/hostedzone/Z0123456789ABCDEFGHIJ"))
                        .hostedZoneId())
                .contains("Z0123456789ABCDEFGHIJ");
    }

    @Test
    void shouldKeepTheMailboxAndBringItsDomainIntoAscii() {
        assertThat(read(with("email", "O'Hara+acme@Bücher.example.org")).email())
                .isEqualTo("O'Hara+acme@xn--bcher-kva.example.org");
    }

    @ParameterizedTest
    @ValueSource(strings = {"z0123456789ABCDEFGHIJ", "hostedzone/Z0123456789ABCDEFGHIJ", "Z01", "A0123456789"})
    void shouldRefuseWhatIsNoHostedZoneId(String id) {
        assertThat(faultsOf("hostedZoneId", id))
                .isEqualTo("hostedZoneId: is not the id of a hosted zone, got \"" + id
                        + "\", want the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"fs-0123456", "FS-0123456789ABCDEF0", "fsmt-0123456789abcdef0", "arn:aws:elasticfilesystem:x"})
    void shouldRefuseWhatIsNoFileSystemId(String id) {
        assertThat(faultsOf("fileSystemId", id))
                .isEqualTo("fileSystemId: is not the id of a file system, got \"" + id
                        + "\", want the id of an EFS file system, such as fs-0123456789abcdef0");
    }

    @Test
    void shouldNeedAHostedZoneIdWhereNoAccountIsKnown() {
        assertThat(faults(without("hostedZoneId"), !ACCOUNT_KNOWN))
                .isEqualTo("hostedZoneId: is missing, and no AWS account is known in which to look it up, got nothing,"
                        + " want the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ,"
                        + " or credentials of the account that holds it");
        assertThat(Settings.read(() -> without("hostedZoneId"), ACCOUNT_KNOWN, HERE)
                        .hostedZoneId())
                .isEmpty();
    }

    @Test
    void shouldNeedNoHostedZoneIdWhereTheStackOwnsNoRecords() {
        Map<String, Object> context = without("hostedZoneId");
        context.put("dns", "none");

        assertThat(read(context).dns()).isEqualTo(Dns.NONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "dns | yes | dns: is neither all nor none, got \"yes\", want all or none",
                "dnsWeight | 256 | dnsWeight: is out of range, got 256, want a weight from 0 to 255",
                "dnsWeight | -1 | dnsWeight: is out of range, got -1, want a weight from 0 to 255",
                "dnsWeight | half | dnsWeight: is not a whole number, got \"half\", want a number such as 100",
                "appPort | 0 | appPort: is out of range, got 0, want a port from 1 to 65535",
                "appPort | 65536 | appPort: is out of range, got 65536, want a port from 1 to 65535",
                "appPort | 80.5 | appPort: is not a whole number, got \"80.5\", want a number such as 80",
                "appReplicas | 0 | appReplicas: is out of range, got 0, want at least 1, better 2, at most 100: two hosts and"
                        + " one network of 254 addresses hold them",
                "appReplicas | 101 | appReplicas: is out of range, got 101, want at least 1, better 2, at most 100: two"
                        + " hosts and one network of 254 addresses hold them",
                "appReplicas | 99999999999 | appReplicas: is not a whole number, got \"99999999999\","
                        + " want a number such as 2",
                "appStartSeconds | 4 | appStartSeconds: is out of range, got 4, want the seconds until it answers, from 5 to 900",
                "appStartSeconds | 901 | appStartSeconds: is out of range, got 901, want the seconds until it answers, from"
                        + " 5 to 900",
                "appStartSeconds | 90s | appStartSeconds: is not a whole number, got \"90s\", want a number such as 60",
                "witness | yes | witness: is neither true nor false, got \"yes\", want true or false",
                "witness | TRUE | witness: is neither true nor false, got \"TRUE\", want true or false",
                "zones | 1 | zones: is out of range, got 1, want 3, or 2 with a weaker promise",
                "zones | 4 | zones: is out of range, got 4, want 3, or 2 with a weaker promise",
                "natGateways | -1 | natGateways: is out of range, got -1, want 0, or 2, or 1 with a weaker promise",
                "natGateways | 3 | natGateways: is out of range, got 3, want 0, or 2, or 1 with a weaker promise",
                "requestsPerAddress | 127 | requestsPerAddress: is out of range, got 127, want a number from 128, which one"
                        + " browser may need, to 65535",
                "requestsPerAddress | 65536 | requestsPerAddress: is out of range, got 65536, want a number from 128, which"
                        + " one browser may need, to 65535",
                "hstsPreload | yes | hstsPreload: is neither true nor false, got \"yes\", want true or false",
            })
    void shouldRefuseValuesOutOfRange(String key, String value, String message) {
        assertThat(faultsOf(key, value)).isEqualTo(message);
    }

    /** All of them twice, as those of a lost host keep their addresses, and what else has one in that network. */
    @Test
    void shouldFitTheReplicasIntoTheNetworkOfTheApplication() throws IOException {
        Matcher size = Pattern.compile("\"SubnetSize\": ([0-9]+)")
                .matcher(Files.readString(Path.of("docker/host/agent/verbs/join.py")));
        assertThat(size.find()).isTrue();
        int addresses = (1 << 32 - Integer.parseInt(size.group(1))) - 2;
        int updated = new ReleaseTime(Settings.MOST_REPLICAS, 60).parallelism();
        int trialAndSpread = 2;
        int ofMachines = 4 * "edge, challenge, balancing".split(",").length + 1;
        int certbotAndGateway = 3;

        assertThat(2 * Settings.MOST_REPLICAS + updated + trialAndSpread + ofMachines + certbotAndGateway)
                .isLessThanOrEqualTo(addresses);
    }

    @ParameterizedTest
    @CsvSource({"100, 391", "8, 391", "4, 830", "3, 900", "1, 900"})
    void shouldRefuseAStartWithWhichSoManyReplicasTakeTooLong(int replicas, int most) {
        assertThat(read(with(Map.of("appReplicas", replicas, "appStartSeconds", most)))
                        .releaseTime())
                .isEqualTo(new ReleaseTime(replicas, most));
        if (most < 900) {
            assertThat(faults(with(Map.of("appReplicas", replicas, "appStartSeconds", most + 1)), !ACCOUNT_KNOWN))
                    .isEqualTo("appStartSeconds: is too long for " + replicas + " replicas, got " + (most + 1)
                            + ", want at most " + most + ", or fewer appReplicas");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nginx",
                "example/shop:1.4.2",
                "localhost:5000/shop",
                "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/front:v1",
                "shop@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "shop:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            })
    void shouldTakeImageReferences(String image) {
        assertThat(read(with("appImage", image)).appImage()).contains(image);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Shop", "app/", "/srv/app", "shop:", "shop@sha256:12", "shop:a b", "shop$(id)", "-shop", "a//b"})
    void shouldRefuseWhatIsNoImageReference(String image) {
        assertThat(faultsOf("appImage", image))
                .isEqualTo(
                        "appImage: is not an image reference, got \"" + image
                                + "\", want an image reference, such as example/shop:1.4.2, or a folder with a Dockerfile, written as ./app");
    }

    @ParameterizedTest
    @CsvSource({
        "123456789012.dkr-ecr.eu-west-1.on.aws/shop:1, 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a/b, 123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b",
        "123456789012.dkr-ecr-fips.us-east-1.on.aws/shop, 123456789012.dkr.ecr.us-east-1.amazonaws.com/shop",
        "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/shop,"
                + " 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com/shop, 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn/shop, 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/shop,"
                + " 123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/shop",
        "123456789012.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu/shop,"
                + " 123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/shop",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.com/shop, 123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/shop",
        "123456789012.DKR.ECR.Eu-West-1.amazonaws.com/shop, 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443/shop, 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop"
    })
    void shouldRefuseAmazonEcrByANameToWhichNobodyLogsIn(String image, String same) {
        assertThat(faultsOf("appImage", image))
                .isEqualTo("appImage: is in Amazon ECR by a name to which the machines do not log in, got \"" + image
                        + "\", want " + same);
        assertThat(read(with("appImage", same)).appImage()).contains(same);
        assertThat(read(with("appImage", "public.ecr.aws/nginx/nginx:1")).appImage())
                .contains("public.ecr.aws/nginx/nginx:1");
        String tagged = same.replaceFirst("(:1)?$", ":1");
        assertThat(faultsOf("edgeImage", tagged))
                .isEqualTo("edgeImage: is in a private registry, to which the machines do not log in for it, got \""
                        + tagged
                        + "\", want an image of Nginx with its tag or digest, such as nginx:1.30.8, for anybody to"
                        + " pull");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov/shop",
                "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/shop",
                "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk/shop",
                "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/shop"
            })
    void shouldNameNoOtherNameOfAmazonEcrWhereThereIsNone(String image) {
        assertThat(faultsOf("appImage", image))
                .isEqualTo("appImage: is in Amazon ECR in a region to which the machines do not log in, got \"" + image
                        + "\", want an image in another registry");
    }

    @ParameterizedTest
    @CsvSource({
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/front:v1,"
                + " arn:aws:ecr:eu-central-1:123456789012:repository/shop/front",
        "123456789012.dkr.ecr.cn-northwest-1.amazonaws.com.cn/shop,"
                + " arn:aws-cn:ecr:cn-northwest-1:123456789012:repository/shop",
        "123456789012.dkr.ecr.us-gov-east-1.amazonaws.com/shop:1,"
                + " arn:aws-us-gov:ecr:us-gov-east-1:123456789012:repository/shop",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/shop@sha256:"
                + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef,"
                + " arn:aws-eusc:ecr:eusc-de-east-1:123456789012:repository/shop"
    })
    void shouldKnowTheRepositoryOfAnImageInEveryPartOfAws(String image, String arn) {
        assertThat(read(with("appImage", image)).appRepositoryArn()).contains(arn);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"shop:1", "public.ecr.aws/nginx/nginx:1", "dkr.ecr.eu-west-1.amazonaws.com/shop", "./docker"})
    void shouldTakeNoOtherRegistryForAmazonEcr(String image, @TempDir Path checkout) throws IOException {
        Files.createFile(Files.createDirectory(checkout.resolve("docker")).resolve("Dockerfile"));

        assertThat(Settings.read(() -> with("appImage", image), !ACCOUNT_KNOWN, checkout)
                        .appRepositoryArn())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"appImage", "edgeImage", "certbotImage"})
    void shouldRefuseTheNameOfAFoldersImage(String key) {
        assertThat(faultsOf(key, "asset:1.0"))
                .isEqualTo(key + ": has the name that Twinhost gives to the images of folders, got \"asset:1.0\","
                        + " want docker.io/library/asset:1.0, if such an image is meant");
        assertThat(read(with("appImage", "docker.io/library/asset:1.0")).appImage())
                .isPresent();
    }

    @Test
    void shouldTakeAnotherEdgeAndAnotherCertbotByTagOrDigest() {
        String digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        Settings settings = read(with(Map.of(
                "edgeImage",
                "public.ecr.aws/docker/library/nginx:1.30.6",
                "certbotImage",
                "localhost:5000/certbot" + digest)));

        assertThat(settings.edgeImage()).contains("public.ecr.aws/docker/library/nginx:1.30.6");
        assertThat(settings.certbotImage()).contains("localhost:5000/certbot" + digest);
    }

    @ParameterizedTest
    @CsvSource({
        "nginx, has neither a tag nor a digest",
        "localhost:5000/nginx, has neither a tag nor a digest",
        "./edge, is not an image reference",
        "nginx:, is not an image reference",
        "nginx:1.30.6;id, is not an image reference"
    })
    void shouldRefuseAnEdgeAndACertbotThatNameNoVersion(String image, String problem) {
        assertThat(faultsOf("edgeImage", image))
                .isEqualTo("edgeImage: " + problem + ", got \"" + image
                        + "\", want an image of Nginx with its tag or digest, such as nginx:1.30.8");
        assertThat(faultsOf("certbotImage", image))
                .isEqualTo("certbotImage: " + problem + ", got \"" + image
                        + "\", want an image of certbot with its tag or digest, such as certbot/certbot:v5.8.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"eu-central-1", "us-gov-west-1", "cn-northwest-1", "eusc-de-east-1", "ap-southeast-7"})
    void shouldTakeTheNameOfARegion(String region) {
        assertThat(read(with("region", region)).region()).contains(region);
    }

    @ParameterizedTest
    @ValueSource(strings = {"EU-central-1", "eu-central-1a", "frankfurt", "eu_central_1", "eu-central-1 "})
    void shouldRefuseWhatIsNoNameOfARegion(String region) {
        assertThat(faultsOf("region", region))
                .isEqualTo("region: is not the name of a region, got \"" + region
                        + "\", want the region of the site, such as eu-central-1");
    }

    @Test
    void shouldTakeAFolderWithADockerfile(@TempDir Path checkout) throws IOException {
        Files.createFile(Files.createDirectory(checkout.resolve("app")).resolve("Dockerfile"));

        Settings settings = Settings.read(() -> with("appImage", "./app"), !ACCOUNT_KNOWN, checkout);

        assertThat(settings.appFolder()).contains("./app");
        assertThat(read(with("appImage", "app")).appFolder()).isEmpty();
    }

    @Test
    void shouldNotGuessWhetherAnImageOrTheFolderOfThatNameIsMeant(@TempDir Path checkout) throws IOException {
        Files.createFile(Files.createDirectory(checkout.resolve("app")).resolve("Dockerfile"));

        assertThatThrownBy(() -> Settings.read(() -> with("appImage", "app"), !ACCOUNT_KNOWN, checkout))
                .hasMessage("appImage: names an image, and there is such a folder, got \"app\","
                        + " want ./app for the folder, or app:latest for the image");
    }

    @ParameterizedTest
    @CsvSource({
        "./docker, is a folder without a Dockerfile",
        "../nowhere, is not a folder",
        "./pom.xml, is not a folder"
    })
    void shouldRefuseAFolderInWhichNoImageCanBeBuilt(String folder, String problem) {
        assertThat(faultsOf("appImage", folder))
                .isEqualTo(
                        "appImage: " + problem + ", got \"" + folder
                                + "\", want an image reference, such as example/shop:1.4.2, or a folder with a Dockerfile, written as ./app");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/healthz", "/a/b-c_d.e~f%20g", "/health?deep=no&from=swarm"})
    void shouldTakePathsOfAHealthCheck(String path) {
        assertThat(read(with("appHealthPath", path)).appHealthPath()).contains(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"healthz", "http://localhost/", "/a b", "/it's", "/$HOME", "/`id`", "/\"", "/a#b", "/a\nb"})
    void shouldRefuseWhatAHealthCheckCannotAskFor(String path) {
        assertThat(faultsOf("appHealthPath", path))
                .startsWith("appHealthPath: is not a path that a health check can ask for, got \"")
                .endsWith("want a path such as /healthz");
    }

    @Test
    void shouldTakeEnvironmentAndSecretsAsAnObjectOrAsJson() {
        Map<String, Object> environment = Map.of("LOG_LEVEL", "it's $5, \"quoted\"\nand more", "_empty", "");
        Settings typed = read(with(Map.of("appEnvironment", environment, "appSecrets", Map.of("db.password", ARN))));
        Settings text = read(with(Map.of(
                "appEnvironment",
                "{\"_empty\": \"\", \"LOG_LEVEL\": \"it's $5, \\\"quoted\\\"\\nand more\"}",
                "appSecrets",
                "{\"db.password\": \"" + ARN + "\"}")));

        assertThat(typed.appEnvironment()).isEqualTo(environment);
        assertThat(typed.appSecrets()).isEqualTo(Map.of("db.password", ARN));
        assertThat(text).isEqualTo(typed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "2ND | x | is not the name of a variable, got \"2ND\","
                        + " want letters, digits, _ . and -, a letter or _ first, as LOG_LEVEL",
                "A=B | x | is not the name of a variable, got \"A=B\","
                        + " want letters, digits, _ . and -, a letter or _ first, as LOG_LEVEL",
                "A B | x | is not the name of a variable, got \"A B\","
                        + " want letters, digits, _ . and -, a letter or _ first, as LOG_LEVEL",
                "A$B | x | is not the name of a variable, got \"A$B\","
                        + " want letters, digits, _ . and -, a letter or _ first, as LOG_LEVEL",
                "TWINHOST_X | x | has a name that Twinhost keeps for itself, got \"TWINHOST_X\","
                        + " want another beginning than TWINHOST_",
                "A | a\u0000b | holds a control character, got a value that is not shown,"
                        + " want text, with line breaks at most"
            })
    void shouldRefuseVariablesThatAnApplicationCannotHave(String name, String value, String message) {
        assertThat(faultsOf("appEnvironment", Map.of(name, value)))
                .isEqualTo("appEnvironment." + name + ": " + message);
    }

    /** {"A":"…"} are eight characters beside the value. */
    @Test
    void shouldRefuseMoreVariablesThanAScriptCanHandOn() {
        assertThat(read(with("appEnvironment", Map.of("A", "x".repeat(65_528)))).appEnvironment())
                .hasSize(1);
        assertThat(faultsOf("appEnvironment", Map.of("A", "x".repeat(65_529))))
                .isEqualTo("appEnvironment: has too many bytes as JSON, got 65537, want at most 65536: a file, or a"
                        + " secret, takes more");
        assertThat(faultsOf("appEnvironment", Map.of("A", "ü".repeat(40_000))))
                .startsWith("appEnvironment: has too many bytes as JSON, got 80008, want ");
    }

    /** Of the kernel's 131072, TWINHOST_APP_ENVIRONMENT= and the end take 26, and {"A":"…"} eight. */
    @Test
    void shouldReckonWithTheBytesThatSwarmsTemplatesTake() {
        String templates = "{{".repeat(16_379);

        assertThat(read(with("appEnvironment", Map.of("A", templates + "xxxxxx")))
                        .appEnvironment())
                .hasSize(1);
        assertThat(faultsOf("appEnvironment", Map.of("A", templates + "xxxxxxx")))
                .isEqualTo("appEnvironment: has too many bytes as Swarm gets it, with each {{ in eight characters, got"
                        + " 131047, want at most 131046: a file, or a secret, takes more");
    }

    @Test
    void shouldTakeNamesWithDotsAndDashesAsDockerDoes() {
        Map<String, Object> variables =
                Map.of("discovery.type", "single-node", "spring.datasource-url", "jdbc:x", "_a.", "");

        assertThat(read(with("appEnvironment", variables)).appEnvironment()).isEqualTo(variables);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-a", ".a", "", "é", "a{{b", "a/b", "a\nb"})
    void shouldRefuseNamesOnWhichNotEverythingOnTheWayAgrees(String name) {
        assertThat(faultsOf("appEnvironment", Map.of(name, "x")))
                .startsWith("appEnvironment." + name.replace("\n", "\\n") + ": is not the name of a variable, got ");
    }

    @Test
    void shouldWriteNumbersAndTruthValuesOfVariablesAsText() {
        Map<String, Object> typed =
                Map.of("PORT", 3000, "RATE", 0.25, "WHOLE", 8080.0, "DEBUG", false, "BIG", -999999999999999L);
        String text =
                "{\"PORT\": 3000, \"RATE\": 0.25, \"WHOLE\": 8080.0, \"DEBUG\": false, \"BIG\": -999999999999999}";
        Map<String, String> written =
                Map.of("PORT", "3000", "RATE", "0.25", "WHOLE", "8080", "DEBUG", "false", "BIG", "-999999999999999");

        assertThat(read(with("appEnvironment", typed)).appEnvironment()).isEqualTo(written);
        assertThat(read(with("appEnvironment", text)).appEnvironment()).isEqualTo(written);
    }

    @ParameterizedTest
    @CsvSource({"1000000000000000", "12345678901234567890", "1e300", "0.1234567890123456"})
    void shouldRefuseANumberOfWhichDigitsAreLostOnTheWay(String number) {
        assertThat(faultsOf("appEnvironment", "{\"ID\": " + number + "}"))
                .startsWith("appEnvironment.ID: is a number that JSON does not keep to the last digit, got ")
                .endsWith(", want the same in quotes");
    }

    @Test
    void shouldTakeNeitherListsNorObjectsForAVariable() {
        assertThat(faultsOf("appEnvironment", Map.of("PORTS", List.of(80, 443))))
                .isEqualTo("appEnvironment.PORTS: is not text, got [80, 443],"
                        + " want names and texts, such as {\"LOG_LEVEL\": \"info\"}");
        assertThat(faultsOf("appSecrets", Map.of("db", 1234)))
                .startsWith("appSecrets.db: is not text, got a value that is not shown, want ");
    }

    @Test
    void shouldRefuseMoreSecretsThanThePoliciesOfARoleHold() {
        Map<String, Object> secrets = new HashMap<>();
        for (int i = 0; i < 70; i++) {
            secrets.put("s" + i, ARN.replace("db_password", "s%02d".formatted(i)));
        }
        assertThat(read(with("appSecrets", secrets)).appSecrets()).hasSize(70);
        secrets.put("long", ARN.replace("db_password", "l".repeat(100)));

        assertThat(faultsOf("appSecrets", secrets))
                .isEqualTo(
                        "appSecrets: has too many characters in its ARNs, got 5138, want at most 5000, as one secret can"
                                + " hold many values");
        secrets.replaceAll((name, arn) -> ARN);
        assertThat(read(with("appSecrets", secrets)).appSecrets())
                .as("one by many names")
                .hasSize(71);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hunter2",
                "shop/db_password",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db_password",
                "arn:aws:ssm:eu-central-1:123456789012:parameter/hunter2-AbCdEf",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/*-AbCdEf"
            })
    void shouldRefuseWhatIsNoWholeArnOfASecretWithoutShowingIt(String arn) {
        assertThat(faultsOf("appSecrets", Map.of("db", arn)))
                .isEqualTo(
                        "appSecrets.db: is not the ARN of a secret in Secrets Manager, got a value that is not shown,"
                                + " want the whole ARN, as " + ARN);
    }

    @Test
    void shouldTakeALoginToTheRegistryOfAnImage() {
        Settings settings =
                read(with(Map.of("appImage", "registry.example.org:5000/shop:1", "appRegistrySecret", ARN)));

        assertThat(settings.appRegistrySecret()).contains(ARN);
        assertThat(read(with(Map.of("appImage", "shop/private:1", "appRegistrySecret", ARN)))
                        .appRegistrySecret())
                .as("on Docker Hub, too")
                .contains(ARN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hunter2",
                "{\"username\": \"shop\", \"password\": \"hunter2\"}",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry",
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:*-AbCdEf"
            })
    void shouldRefuseALoginToTheRegistryThatIsNoArnWithoutShowingIt(String secret) {
        assertThat(faults(with(Map.of("appImage", "shop/private:1", "appRegistrySecret", secret)), !ACCOUNT_KNOWN))
                .isEqualTo("appRegistrySecret: is not the ARN of a secret in Secrets Manager, got a value that is not"
                        + " shown, want the whole ARN, as"
                        + " arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf");
    }

    @Test
    void shouldShowNothingOfALoginThatIsWrittenWhereItsArnBelongs() {
        Map<String, Object> login = Map.of("username", "shop", "password", "hunter2");

        assertThat(faultsOf("appRegistrySecret", login))
                .isEqualTo("appRegistrySecret: is not text, got a value that is not shown, want the whole ARN, as"
                        + " arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/registry-AbCdEf");
        assertThat(faultsOf("appRegistrySecrets", login))
                .isEqualTo("appRegistrySecrets: is not a setting, got a value that is not shown,"
                        + " want appRegistrySecret");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | is set, and appImage is no image reference"
                        + " | an image of a private registry as appImage, or no appRegistrySecret",
                "./app | is set, and appImage is no image reference"
                        + " | an image of a private registry as appImage, or no appRegistrySecret",
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1 | is set, and appImage is in Amazon ECR, to which the"
                        + " machines log in by their role | no appRegistrySecret"
            })
    void shouldRefuseALoginThatNoRegistryOfTheImageWants(
            String image, String problem, String want, @TempDir Path checkout) throws IOException {
        Files.createFile(Files.createDirectory(checkout.resolve("app")).resolve("Dockerfile"));
        Map<String, Object> context = with("appRegistrySecret", ARN);
        if (!image.isEmpty()) {
            context.put("appImage", image);
        }

        assertThatThrownBy(() -> Settings.read(() -> context, !ACCOUNT_KNOWN, checkout))
                .hasMessage("appRegistrySecret: " + problem + ", got \"" + ARN + "\", want " + want);
    }

    @Test
    void shouldShowNothingOfSecretsThatAreNoObject() {
        for (Object value : List.of("hunter2", "{\"db\": hunter2}", List.of("hunter2"))) {
            assertThat(faultsOf("appSecrets", value))
                    .isEqualTo("appSecrets: is not an object, got a value that is not shown,"
                            + " want names and ARNs, such as {\"db_password\": \"" + ARN + "\"}");
        }
        assertThat(faultsOf("appSecrets", Map.of("db", List.of("hunter2")))).doesNotContain("hunter2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-db", "db-", "a/b", "..", "a b", "a23456789b123456789c123456789d123456789e1"})
    void shouldRefuseNamesThatASecretCannotHave(String name) {
        assertThat(faultsOf("appSecrets", Map.of(name, ARN)))
                .isEqualTo("appSecrets." + name + ": is not the name of a secret, got \"" + name
                        + "\", want letters, digits, and _ . - between them, at most 40, as db_password");
    }

    @ParameterizedTest
    @ValueSource(strings = {"t4g.small", "t3a.micro", "m7gd.2xlarge", "c6in.metal", "m7i.metal-24xl"})
    void shouldTakeInstanceTypes(String type) {
        assertThat(read(with("instanceType", type)).instanceType()).isEqualTo(type);
        assertThat(read(with("witnessInstanceType", type)).witnessInstanceType())
                .isEqualTo(type);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "t4g | is not an instance type | a type such as t4g.small",
                "T4G.small | is not an instance type | a type such as t4g.small",
                "t4g.tiny | is not an instance type | a type such as t4g.small",
                "a1.large | is a type that a network load balancer or Linux cannot take | a type such as t4g.small",
                "m3.large | is a type that a network load balancer or Linux cannot take | a type such as t4g.small",
                "mac2.metal | is a type that a network load balancer or Linux cannot take | a type such as t4g.small",
                "t4g.nano | has too little memory to install packages | a type such as t4g.small (micro or larger)"
            })
    void shouldRefuseInstanceTypesThatCannotServe(String type, String problem, String want) {
        String message = "instanceType: " + problem + ", got \"" + type + "\", want " + want;

        assertThat(faultsOf("instanceType", type)).isEqualTo(message);
        assertThat(faultsOf("witnessInstanceType", type))
                .isEqualTo("witness" + message.replaceFirst("i", "I").replace("t4g.small", "t4g.micro"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10.0.0.0 | is not a block of IPv4 addresses | a block such as 10.42.0.0/16",
                "10.0.0.256/16 | is not a block of IPv4 addresses | a block such as 10.42.0.0/16",
                "010.0.0.0/16 | is not a block of IPv4 addresses | a block such as 10.42.0.0/16",
                "10.0.0.0/33 | is not a block of IPv4 addresses | a block such as 10.42.0.0/16",
                "fd00::/64 | is not a block of IPv4 addresses | a block such as 10.42.0.0/16",
                "10.42.1.0/16 | does not start at its own first address | 10.42.0.0/16",
                "10.0.0.0/8 | has a size that no VPC may have | /16 to /28, as 10.42.0.0/16",
                "10.0.0.0/29 | has a size that no VPC may have | /16 to /28, as 10.42.0.0/16",
                "172.16.0.0/16 | meets 172.16.0.0/12, which Docker uses on the hosts | a block such as 10.42.0.0/16",
                "172.31.255.0/24 | meets 172.16.0.0/12, which Docker uses on the hosts | a block such as 10.42.0.0/16",
                "127.0.0.0/16 | is a block that no VPC may have | a block such as 10.42.0.0/16",
                "224.0.0.0/16 | is a block that no VPC may have | a block such as 10.42.0.0/16",
                "10.0.0.0/27 | is too small for a subnet in each of three zones | at least /26, as 10.42.0.0/16",
            })
    void shouldRefuseBlocksThatTheVpcCannotHave(String block, String problem, String want) {
        assertThat(faultsOf("vpcCidr", block))
                .isEqualTo("vpcCidr: " + problem + ", got \"" + block + "\", want " + want);
    }

    @Test
    void shouldRefuseABlockWithoutRoomForPrivateSubnetsOnlyWhereTheyAreWanted() {
        String smallest = "192.168.0.0/24";
        String smaller = "192.168.0.0/25";

        assertThat(read(with("vpcCidr", smaller)).vpcCidr()).isEqualTo(smaller);
        assertThat(read(with(Map.of("vpcCidr", smallest, "natGateways", 1))).privateSubnetPrefix())
                .isEqualTo(28);
        assertThat(faults(with(Map.of("vpcCidr", smaller, "natGateways", 2)), !ACCOUNT_KNOWN))
                .isEqualTo("vpcCidr: is too small for a public and a private subnet in each of three zones, got \""
                        + smaller + "\", want at least /24, as 10.42.0.0/16, or natGateways 0");
    }

    @ParameterizedTest
    @CsvSource({
        "10.42.0.0/16, 3, 24",
        "172.15.0.0/16, 3, 24",
        "172.32.0.0/16, 3, 24",
        "192.168.0.0/24, 3, 26",
        "192.168.0.0/24, 2, 26",
        "192.168.0.0/26, 3, 28"
    })
    void shouldFitTheSubnetsIntoTheBlock(String block, int zones, int prefix) {
        assertThat(read(with(Map.of("vpcCidr", block, "zones", zones))).subnetPrefix())
                .isEqualTo(prefix);
    }

    @ParameterizedTest
    @CsvSource({
        "production, production, https://acme-v02.api.letsencrypt.org/directory",
        "staging, staging, https://acme-staging-v02.api.letsencrypt.org/directory",
        "https://acme-v02.api.letsencrypt.org/directory, production, https://acme-v02.api.letsencrypt.org/directory",
        "https://CA.example.org:8443/acme/dir, ca.example.org=3a8443_acme_dir, https://CA.example.org:8443/acme/dir",
        "https://staging, staging_, https://staging",
        "https://ca.example.org/a_b, ca.example.org_a=5fb, https://ca.example.org/a_b"
    })
    void shouldKeepEachAcmeServerInAFolderOfItsOwn(String setting, String name, String directory) {
        assertThat(read(with("acmeServer", setting)).acme()).isEqualTo(new AcmeServer(name, directory));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "prod",
                "http://ca.example.org/dir",
                "https:///dir",
                "https://user@ca.example.org/dir",
                "https://ca.example.org/dir?x=1",
                "https://ca.example.org/dir#x",
                "https://ca.example.org/a b"
            })
    void shouldRefuseWhatIsNoAcmeServer(String server) {
        assertThat(faultsOf("acmeServer", server))
                .isEqualTo("acmeServer: is no ACME server, got \"" + server
                        + "\", want production, staging or a directory URL of at most 80 characters,"
                        + " such as https://acme.example.org/directory");
    }

    @Test
    void shouldTakeExtraNamesAsAListOrWithCommasAndBringThemIntoAscii() {
        Settings typed = read(with("extraDomains", List.of("Example.NET", "b\u00fccher.shop.example.org")));
        Settings text = read(with("extraDomains", "Example.NET, b\u00fccher.shop.example.org"));

        assertThat(typed.extraDomains()).containsExactly("example.net", "xn--bcher-kva.shop.example.org");
        assertThat(text).isEqualTo(typed);
        assertThat(read(with("extraDomains", List.of())).extraDomains()).isEmpty();
        assertThat(read(with("extraDomains", "")).extraDomains()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "localhost | is not a public host name, got \"localhost\", want names that lead to the site, such as example.net",
                "*.example.net | is not a public host name, got \"*.example.net\","
                        + " want names that lead to the site, such as example.net",
                "example.net, | is not a public host name, got \"\", want names that lead to the site, such as example.net",
                "Shop.example.org | is on the certificate anyhow, got \"Shop.example.org\", want other names, or none",
                "www.shop.example.org | is on the certificate anyhow, got \"www.shop.example.org\","
                        + " want other names, or none",
                "example.net,Example.net | is there twice, got \"Example.net\", want each name once"
            })
    void shouldRefuseExtraNamesThatNoCertificateCanHave(String names, String message) {
        assertThat(faultsOf("extraDomains", names)).isEqualTo("extraDomains: " + message);
    }

    @Test
    void shouldRefuseExtraNamesThatAreNoText() {
        assertThat(faultsOf("extraDomains", List.of("example.net", 7)))
                .isEqualTo("extraDomains: is not a list of texts, got [example.net, 7],"
                        + " want names that lead to the site, such as example.net");
    }

    @ParameterizedTest
    @CsvSource({"classic, 98, ''", "tlsserver, 23, ' in this acmeProfile'", "shortlived, 23, ' in this acmeProfile'"})
    void shouldRefuseMoreNamesThanLetsEncryptTakes(String profile, int most, String where) {
        assertThat(read(named(most, Map.of("acmeProfile", profile))).extraDomains())
                .hasSize(most);
        assertThat(faults(named(most + 1, Map.of("acmeProfile", profile)), !ACCOUNT_KNOWN))
                .isEqualTo("extraDomains: are too many names, got " + (most + 1) + ", want at most " + most
                        + ": with the domain and www that is all Let's Encrypt takes" + where);
        String other = "https://ca.example.org/dir";
        assertThat(read(named(most + 1, Map.of("acmeProfile", profile, "acmeServer", other)))
                        .acmeProfile())
                .contains(profile);
    }

    private static Map<String, Object> named(int number, Map<String, Object> more) {
        Map<String, Object> context = with(more);
        context.put(
                "extraDomains",
                IntStream.range(0, number)
                        .mapToObj(i -> "n" + i + ".example.net")
                        .toList());
        return context;
    }

    @Test
    void shouldRefuseWhatIsNoNameOfAProfile() {
        assertThat(faultsOf("acmeProfile", "tls server"))
                .isEqualTo("acmeProfile: is not the name of a profile, got \"tls server\","
                        + " want the name of a profile of the CA, such as tlsserver");
    }

    @Test
    void shouldBindTheZoneToLetsEncryptOnlyWhereItMayAndWhereThatIsTheAuthority() {
        assertThat(read(with("caa", "true")).caa()).isTrue();
        assertThat(read(with(Map.of("caa", true, "acmeServer", "staging"))).caa())
                .isTrue();
        assertThat(faults(with(Map.of("caa", true, "dns", "none")), !ACCOUNT_KNOWN))
                .isEqualTo("caa: is a record, and the stack makes none, got true, want false, or dns: all");
        assertThat(faults(with(Map.of("caa", true, "acmeServer", "https://ca.example.org/dir")), !ACCOUNT_KNOWN))
                .isEqualTo("caa: would forbid the CA of acmeServer, got true,"
                        + " want false, or an acmeServer of Let's Encrypt");
    }

    @ParameterizedTest
    @ValueSource(ints = {128, 65535})
    void shouldTakeHowManyRequestsOneAddressMayHave(int requests) {
        assertThat(read(with("requestsPerAddress", requests)).requestsPerAddress())
                .isEqualTo(requests);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1m", "256m", "9999m", "2g", "10g"})
    void shouldTakeASizeAsTheCachesLimit(String size) {
        assertThat(read(with("cacheMaxSize", size)).cacheMaxSize()).isEqualTo(size);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0m", "256", "256k", "256M", "1.5g", "11g", "10240m", "-1m", "256m;", "much"})
    void shouldRefuseWhatIsNoSizeOfACache(String size) {
        assertThat(faultsOf("cacheMaxSize", size))
                .isEqualTo("cacheMaxSize: is not the size of a cache, got \"" + size
                        + "\", want a size from 1m to 10g, such as 256m or 2g");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "domain | is not text | the site's apex, such as example.org",
                "email | is not text | one address, such as ops@example.org",
                "hostedZoneId | is not text" + " | the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ",
                "dns | is neither all nor none | all or none",
                "dnsWeight | is not a whole number | a number such as 100",
                "appImage | is not text | an image reference, such as example/shop:1.4.2, or a folder with a Dockerfile,"
                        + " written as ./app",
                "appPort | is not a whole number | a number such as 80",
                "appReplicas | is not a whole number | a number such as 2",
                "appStartSeconds | is not a whole number | a number such as 60",
                "appHealthPath | is not text | a path such as /healthz",
                "appEnvironment | is not an object | names and texts, such as {\"LOG_LEVEL\": \"info\"}",
                "instanceType | is not text | a type such as t4g.small",
                "witnessInstanceType | is not text | a type such as t4g.micro",
                "witness | is neither true nor false | true or false",
                "region | is not text | the region of the site, such as eu-central-1",
                "zones | is not a whole number | a number such as 3",
                "vpcCidr | is not text | a block such as 10.42.0.0/16",
                "natGateways | is not a whole number | a number such as 0",
                "fileSystemId | is not text | the id of an EFS file system, such as fs-0123456789abcdef0",
                "acmeServer | is not text | production, staging or a directory URL",
                "acmeProfile | is not text | the name of a profile of the CA, such as tlsserver",
                "caa | is neither true nor false | true or false",
                "cacheMaxSize | is not text | a size from 1m to 10g, such as 256m or 2g",
                "requestsPerAddress | is not a whole number | a number such as 1000",
                "hstsPreload | is neither true nor false | true or false",
                "maintenance | is neither true nor false | true or false",
                "edgeImage | is not text | an image of Nginx with its tag or digest, such as nginx:1.30.8",
                "certbotImage | is not text"
                        + " | an image of certbot with its tag or digest, such as certbot/certbot:v5.8.0",
                "githubRepository | is not text | owner/name, or owner@id/name@id with GitHub's ids, such as"
                        + " octo-org@123456/site@456789"
            })
    void shouldRefuseAValueOfTheWrongTypeInsteadOfTakingTheDefault(String key, String problem, String want) {
        assertThat(faultsOf(key, List.of("a"))).isEqualTo(key + ": " + problem + ", got [a], want " + want);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "domain",
                "email",
                "hostedZoneId",
                "appImage",
                "appRegistrySecret",
                "appHealthPath",
                "instanceType",
                "region",
                "vpcCidr",
                "fileSystemId",
                "acmeServer",
                "acmeProfile",
                "cacheMaxSize",
                "edgeImage",
                "certbotImage",
                "githubRepository"
            })
    void shouldRefuseEmptyText(String key) {
        assertThat(faultsOf(key, " ")).startsWith(key + ": is empty, got \" \", want ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "octo-org/site",
                "octo-org@123456/site@456789",
                "o/1",
                "Octo-Org/.github",
                "mona_acme/my_site.example-1",
                "a234567890123456789012345678901234567-9/site"
            })
    void shouldTakeARepositoryAsGitHubSpellsIt(String repository) {
        assertThat(read(with("githubRepository", repository)).githubRepository())
                .contains(repository);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "site",
                "octo-org/",
                "/site",
                "octo-org/site/",
                "octo-org/group/site",
                "https://github.com/octo-org/site",
                "git@github.com:octo-org/site.git",
                "octo-org/site.git",
                "octo-org/site.Wiki",
                "octo-org/.",
                "octo-org/..",
                "octo-org/*",
                "*/site",
                "octo-org/s?te",
                "octo-org/${x}",
                "octo-org/site:ref:refs/heads/main",
                "-octo/site",
                "octo-/site",
                "octo--org/site",
                "octo.org/site",
                "octo-org/my site",
                " octo-org/site",
                "octo-org/site\n",
                "octö/site",
                "octo-org@123456/site",
                "octo-org/site@456789",
                "octo-org@/site@",
                "octo-org@0/site@1",
                "octo-org@x/site@y",
                "a234567890123456789012345678901234567-90/site"
            })
    void shouldRefuseWhatIsNoRepository(String repository) {
        assertThat(faultsOf("githubRepository", repository))
                .isEqualTo("githubRepository: is not a repository, got \"" + repository.replace("\n", "\\n")
                        + "\", want owner/name, or owner@id/name@id with GitHub's ids, such as"
                        + " octo-org@123456/site@456789");
    }

    @Test
    void shouldTakeRepositoryNamesOfAHundredCharactersAtMost() {
        String longest = "octo-org/" + "s".repeat(100);

        assertThat(read(with("githubRepository", longest)).githubRepository()).contains(longest);
        assertThat(faultsOf("githubRepository", longest + "s")).startsWith("githubRepository: is not a repository, ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"prod:1", "a b", "*", "prod*", "${x}", ".prod", "prod-", "prod/eu", "größe"})
    void shouldRefuseWhatIsNoNameOfAnEnvironmentOfGitHub(String name) {
        assertThat(faults(with(Map.of("githubRepository", "octo-org/site", "githubEnvironment", name)), !ACCOUNT_KNOWN))
                .isEqualTo("githubEnvironment: is not the name of an environment, got \"" + name
                        + "\", want the name of an environment of the repository, such as production: letters, digits,"
                        + " and . _ - between them");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "token.actions.githubusercontent.com",
                "arn:aws:iam::12345678901:oidc-provider/token.actions.githubusercontent.com",
                "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com/octo-org",
                "arn:aws:iam::123456789012:oidc-provider/tokenxactions.githubusercontent.com",
                "arn:aws:iam::123456789012:oidc-provider/gitlab.com",
                "arn:aws:iam::123456789012:role/token.actions.githubusercontent.com"
            })
    void shouldRefuseWhatIsNotGitHubsProvider(String arn) {
        assertThat(faults(
                        with(Map.of("githubRepository", "octo-org/site", "githubOidcProviderArn", arn)),
                        !ACCOUNT_KNOWN))
                .isEqualTo("githubOidcProviderArn: is not the ARN of the account's provider for GitHub, got \"" + arn
                        + "\", want arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com,"
                        + " with the account's 12 digits");
    }

    @Test
    void shouldTakeAnEnvironmentAndAProviderOfGitHub() {
        Settings settings = read(with(Map.of(
                "githubRepository",
                "octo-org/site",
                "githubEnvironment",
                "Production_eu-1.a",
                "githubOidcProviderArn",
                "arn:aws-us-gov:iam::123456789012:oidc-provider/token.actions.githubusercontent.com")));

        assertThat(settings.githubEnvironment()).contains("Production_eu-1.a");
        assertThat(settings.githubOidcProviderArn()).isPresent();
    }

    @ParameterizedTest
    @CsvSource({
        "githubEnvironment, production",
        "githubOidcProviderArn, arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    })
    void shouldRefuseSettingsOfThePipelineWhereThereIsNone(String key, String value) {
        assertThat(faultsOf(key, value))
                .isEqualTo(key + ": is set without a githubRepository, got \"" + value
                        + "\", want githubRepository as well, or neither");
    }

    @Test
    void shouldReportEveryFaultAtOnceInTheOrderOfTheSettings() {
        assertThat(faults(
                        Map.of(
                                "zones", 7,
                                "vpcCidr", "172.20.0.0/16",
                                "email", "nobody",
                                "witness", "maybe",
                                "elasticIps", 1),
                        !ACCOUNT_KNOWN))
                .isEqualTo(String.join(
                        "\n",
                        "elasticIps: is not a setting, got 1, want one of domain, email, hostedZoneId, dns, dnsWeight,"
                                + " caa, appImage, appRegistrySecret, appPort, appReplicas, appStartSeconds, appHealthPath, appEnvironment, appSecrets, instanceType,"
                                + " witnessInstanceType, witness, region, zones, vpcCidr, natGateways, fileSystemId, acmeServer,"
                                + " acmeProfile, extraDomains, cacheMaxSize, requestsPerAddress, hstsPreload, maintenance, edgeImage, certbotImage, githubRepository,"
                                + " githubEnvironment, githubOidcProviderArn, environment, environments",
                        "domain: is missing, got nothing, want the site's apex, such as example.org",
                        "email: is not an e-mail address, got \"nobody\", want one address, such as ops@example.org",
                        "hostedZoneId: is missing, and no AWS account is known in which to look it up, got nothing,"
                                + " want the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ,"
                                + " or credentials of the account that holds it",
                        "witness: is neither true nor false, got \"maybe\", want true or false",
                        "zones: is out of range, got 7, want 3, or 2 with a weaker promise",
                        "vpcCidr: meets 172.16.0.0/12, which Docker uses on the hosts, got \"172.20.0.0/16\","
                                + " want a block such as 10.42.0.0/16"));
    }

    @Test
    void shouldKeepEachFaultOnOneLine() {
        assertThat(faultsOf("appImage", "a\nb")).hasLineCount(1).contains("got \"a\\nb\"");
    }

    @Test
    void shouldShowTheBeginningOfALongValueAndNothingThatATerminalObeys() {
        assertThat(faultsOf("domain", "a".repeat(300_000)))
                .isEqualTo("domain: is not a public host name, got \"" + "a".repeat(200)
                        + "\"… (300000 characters), want the site's apex, such as example.org");
        assertThat(faultsOf("zones", List.of("a".repeat(300))))
                .isEqualTo("zones: is not a whole number, got [" + "a".repeat(199)
                        + "… (302 characters), want a number such as 3");
        assertThat(faultsOf("vpcCidr", "\u001b[2J\u202e\u2028\u0007"))
                .startsWith(
                        "vpcCidr: is not a block of IPv4 addresses, got \"\\u001b[2J\\u202e\\u2028\\u0007\", want ");
        assertThat(faultsOf("appEnvironment", Map.of("A\nB", "x"))).startsWith("appEnvironment.A\\nB: is not the name");
    }

    @Test
    void shouldRefuseTheExamplesAsSoonAsAnAccountIsKnown() {
        Map<String, Object> shipped =
                Map.of("domain", "Example.com", "email", "ops@example.com", "hostedZoneId", "Z0EXAMPLE0EXAMPLE0EX");

        assertThat(Settings.read(() -> shipped, !ACCOUNT_KNOWN, HERE).domain()).isEqualTo("example.com");
        assertThat(faults(shipped, ACCOUNT_KNOWN))
                .isEqualTo(String.join(
                        "\n",
                        "domain: is the example's, got \"Example.com\", want the domain of your site",
                        "email: is the example's, got \"ops@example.com\", want an address that you read",
                        "hostedZoneId: is the example's, got \"Z0EXAMPLE0EXAMPLE0EX\", want the id of your domain's"
                                + " hosted zone, or no hostedZoneId, to have it looked up"));
    }

    static Map<String, Object> with(String key, Object value) {
        return with(Map.of(key, value));
    }

    static Map<String, Object> with(Map<String, Object> more) {
        Map<String, Object> context = new HashMap<>(REQUIRED);
        context.putAll(more);
        return context;
    }

    private static Map<String, Object> without(String key) {
        Map<String, Object> context = new HashMap<>(REQUIRED);
        context.remove(key);
        return context;
    }

    static Settings read(Map<String, Object> context) {
        return Settings.read(() -> context, !ACCOUNT_KNOWN, HERE);
    }

    private static String faultsOf(String key, Object value) {
        return faults(with(key, value), !ACCOUNT_KNOWN);
    }

    static String faults(Map<String, Object> context, boolean accountKnown) {
        return catchThrowableOfType(InvalidSettings.class, () -> Settings.read(() -> context, accountKnown, HERE))
                .getMessage();
    }
}
