package dev.twinhost.settings;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What a site is made of; one record, complete and checked. The keys, their defaults and their meaning are in the
 * README's table of settings.
 *
 * <p>The constructor checks every component and reports every fault at once ({@link InvalidSettings}); host names come
 * out of it in lower-case ASCII.
 *
 * @param environment the block of {@code environments} that was laid over the rest, where one was asked for
 * @param hostedZoneId absent: looked up by name
 * @param caa whether the zone says that Let's Encrypt alone may issue for its names
 * @param appImage an image reference, or a folder with a Dockerfile; absent: the default page
 * @param appRegistrySecret ARN of the secret with the login to the registry of that image, JSON with {@code username} and
 *     {@code password} as in https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html; absent: anybody
 *     may pull it, or it is in Amazon ECR
 * @param appPort the port on which the application listens in its container
 * @param appStartSeconds what the application may take to start until it answers
 * @param appHealthPath absent: the image's own health check counts, where it has one
 * @param appEnvironment variables of the application
 * @param appSecrets names of the application's secrets, and the ARN of each one in Secrets Manager
 * @param region absent: that of the command line, unless {@code cdk.context.json} says otherwise
 * @param natGateways 0: the machines stand in public subnets; otherwise in private ones, and leave through these
 * @param fileSystemId an existing file system; absent: the stack makes one
 * @param acmeServer {@code production}, {@code staging} or a directory URL; see {@link #acme}
 * @param acmeProfile what the CA calls the kind of certificate that is asked for; absent: its own choice
 * @param extraDomains more names on the certificate, which lead to {@link #www}
 * @param cacheMaxSize as Nginx writes sizes
 * @param requestsPerAddress of one client address, that an edge answers at once
 * @param hstsPreload whether browsers may ship the domain in their lists of those that are reached over HTTPS alone
 * @param maintenance whether visitors get the maintenance page instead of the application
 * @param edgeImage the edge's Nginx; absent: the one of the release
 * @param certbotImage absent: the one of the release
 * @param githubRepository as GitHub writes it in the tokens of its workflows; absent: there is no pipeline
 * @param githubEnvironment of the repository, from which alone the pipeline deploys; absent: from the main branch
 * @param githubOidcProviderArn the account's own provider for GitHub; absent: the pipeline's stack makes it
 */
public record Settings(
        Optional<String> environment,
        String domain,
        String email,
        Optional<String> hostedZoneId,
        Dns dns,
        int dnsWeight,
        boolean caa,
        Optional<String> appImage,
        Optional<String> appRegistrySecret,
        int appPort,
        int appReplicas,
        int appStartSeconds,
        Optional<String> appHealthPath,
        Map<String, String> appEnvironment,
        Map<String, String> appSecrets,
        String instanceType,
        String witnessInstanceType,
        boolean witness,
        Optional<String> region,
        int zones,
        String vpcCidr,
        int natGateways,
        Optional<String> fileSystemId,
        String acmeServer,
        Optional<String> acmeProfile,
        List<String> extraDomains,
        String cacheMaxSize,
        int requestsPerAddress,
        boolean hstsPreload,
        boolean maintenance,
        Optional<String> edgeImage,
        Optional<String> certbotImage,
        Optional<String> githubRepository,
        Optional<String> githubEnvironment,
        Optional<String> githubOidcProviderArn) {

    static final String WANTED_DOMAIN = "the site's apex, such as example.org";
    static final String WANTED_EMAIL = "one address, such as ops@example.org";
    static final String WANTED_ZONE = "the id of the domain's hosted zone, such as Z0123456789ABCDEFGHIJ";
    static final String WANTED_FILE_SYSTEM = "the id of an EFS file system, such as fs-0123456789abcdef0";
    static final String WANTED_CACHE = "a size from 1m to 10g, such as 256m or 2g";
    static final String WANTED_REGION = "the region of the site, such as eu-central-1";

    private static final Pattern MAILBOX =
            Pattern.compile("[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*");
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-efs-mounttarget.html
    private static final Pattern FILE_SYSTEM_ID = Pattern.compile("fs-[0-9a-f]{8,40}");
    private static final String ZONE_PATH = "/hostedzone/";
    private static final Pattern ZONE_ID = Pattern.compile("Z[A-Z0-9]{7,31}");

    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
    private static final Pattern REGION = Pattern.compile("[a-z]{2,4}(-[a-z]+)+-[1-9]");

    /**
     * The network of the application has 254 addresses (SubnetSize in docker/host/agent/verbs/join.py). Each container has one, also those
     * of a host that is lost, until it is removed, while as many others run in their place; and an update has some more.
     */
    static final int MOST_REPLICAS = 100;

    // As Nginx writes sizes; half of a host's disk at the most.
    private static final Pattern CACHE_SIZE = Pattern.compile("[1-9][0-9]{0,3}m|([1-9]|10)g");

    // A browser may have 128 over one connection; Nginx counts as far as 65535.
    // https://nginx.org/en/docs/http/ngx_http_v2_module.html#http2_max_concurrent_streams
    private static final int LEAST_REQUESTS = 128;
    private static final int MOST_REQUESTS = 65535;

    private static final Pattern INSTANCE_TYPE = Pattern.compile(
            "[a-z]+[0-9]{1,2}[a-z-]*\\.(nano|micro|small|medium|large" + "|xlarge|[0-9]+xlarge|metal|metal-[0-9]+xl)");

    // A network load balancer takes no instances of these by id; macOS is not Linux, and Amazon Linux 2023 does not
    // run on A1.
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    // https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_batch.EcsMachineImageType.html
    private static final Pattern UNFIT_TYPE =
            Pattern.compile("(a1|c1|cc1|cc2|cg1|cg2|cr1|g1|g2|hi1|hs1|m1|m2|m3|t1|mac[a-z0-9-]*)\\..*");

    public Settings {
        List<Fault> faults = new ArrayList<>();
        // as the AWS command line prints it
        hostedZoneId = hostedZoneId.map(id -> id.startsWith(ZONE_PATH) ? id.substring(ZONE_PATH.length()) : id);
        checkNames(faults, domain, email);
        hostedZoneId.ifPresent(id -> check(
                faults, "hostedZoneId", id, ZONE_ID.asMatchPredicate(), "is not the id of a hosted zone", WANTED_ZONE));
        range(faults, "dnsWeight", dnsWeight, 0, 255, "a weight from 0 to 255");
        appImage.filter(image -> !isFolder(image)).ifPresent(image -> Image.checkApplication(faults, image));
        Application.checkRegistrySecret(faults, appRegistrySecret, appImage);
        range(faults, "appPort", appPort, 1, 65535, "a port from 1 to 65535");
        range(
                faults,
                "appReplicas",
                appReplicas,
                1,
                MOST_REPLICAS,
                "at least 1, better 2, at most " + MOST_REPLICAS
                        + ": two hosts and one network of 254 addresses hold them");
        ReleaseTime.check(faults, appReplicas, appStartSeconds);
        Application.check(faults, appHealthPath, appEnvironment, appSecrets);
        checkInstanceType(faults, "instanceType", instanceType, "t4g.small");
        checkInstanceType(faults, "witnessInstanceType", witnessInstanceType, "t4g.micro");
        region.ifPresent(name ->
                check(faults, "region", name, REGION.asMatchPredicate(), "is not the name of a region", WANTED_REGION));
        range(faults, "zones", zones, 2, 3, "3, or 2 with a weaker promise");
        range(faults, "natGateways", natGateways, 0, 2, "0, or 2, or 1 with a weaker promise");
        VpcCidr.fault(vpcCidr, natGateways > 0).ifPresent(faults::add);
        fileSystemId.ifPresent(id -> check(
                faults,
                "fileSystemId",
                id,
                FILE_SYSTEM_ID.asMatchPredicate(),
                "is not the id of a file system",
                WANTED_FILE_SYSTEM));
        check(
                faults,
                "acmeServer",
                acmeServer,
                server -> AcmeServer.of(server).isPresent(),
                "is no ACME server",
                "production, staging or a directory URL of at most 80 characters, such as https://acme.example.org/directory");
        Optional<AcmeServer> authority = AcmeServer.of(acmeServer);
        Certificate.checkCaa(faults, caa, dns, authority);
        Certificate.check(
                faults, Optional.ofNullable(domain).flatMap(HostName::of), extraDomains, authority, acmeProfile);
        check(
                faults,
                "cacheMaxSize",
                cacheMaxSize,
                CACHE_SIZE.asMatchPredicate(),
                "is not the size of a cache",
                WANTED_CACHE);
        range(
                faults,
                "requestsPerAddress",
                requestsPerAddress,
                LEAST_REQUESTS,
                MOST_REQUESTS,
                "a number from " + LEAST_REQUESTS + ", which one browser may need, to " + MOST_REQUESTS);
        Image.checkVersioned(faults, "edgeImage", edgeImage, Image.WANTED_EDGE);
        Image.checkVersioned(faults, "certbotImage", certbotImage, Image.WANTED_CERTBOT);
        GitHub.check(faults, githubRepository, githubEnvironment, githubOidcProviderArn);
        if (!faults.isEmpty()) {
            throw new InvalidSettings(faults);
        }
        appEnvironment = Collections.unmodifiableSortedMap(new TreeMap<>(appEnvironment));
        appSecrets = Collections.unmodifiableSortedMap(new TreeMap<>(appSecrets));
        extraDomains = extraDomains.stream()
                .map(name -> HostName.of(name).orElseThrow())
                .toList();
        domain = HostName.of(domain).orElseThrow();
        email = mailbox(email) + '@' + HostName.of(mailDomain(email)).orElseThrow();
    }

    /**
     * Reads the settings, or throws {@link InvalidSettings} with all that is wrong.
     *
     * @param checkout where a folder of the settings begins
     */
    public static Settings read(Context context, boolean accountKnown, Path checkout) {
        return new SettingsReader(context.values()).read(accountKnown, checkout);
    }

    /** The name under which the site answers. */
    public String www() {
        return "www." + domain;
    }

    /** Whether a name is in the zone of the domain. */
    public boolean isInZone(String name) {
        return name.endsWith('.' + domain);
    }

    public AcmeServer acme() {
        return AcmeServer.of(acmeServer).orElseThrow();
    }

    /** The folder in which the application's image is built; nothing where that is a reference, or the default page. */
    public Optional<String> appFolder() {
        return appImage.filter(Settings::isFolder);
    }

    /** The repository of the application's image, where that is a reference to one in Amazon ECR. */
    public Optional<String> appRepositoryArn() {
        return appImage.flatMap(Image::repositoryArn);
    }

    /** No image reference begins with a dot. */
    static boolean isFolder(String image) {
        return image.startsWith("./") || image.startsWith("../");
    }

    /** How long a release of this site may take. */
    public ReleaseTime releaseTime() {
        return new ReleaseTime(appReplicas, appStartSeconds);
    }

    /** Whether the machines stand in private subnets and leave through NAT gateways. */
    public boolean privateMachines() {
        return natGateways > 0;
    }

    /** The prefix length of the public subnets: 24 where the VPC has room for it, as much as it has otherwise. */
    public int subnetPrefix() {
        return VpcCidr.subnetPrefix(CidrBlock.of(vpcCidr).orElseThrow());
    }

    /** The prefix length of the private subnets, where there are any: likewise, in what the public ones leave. */
    public int privateSubnetPrefix() {
        return VpcCidr.privateSubnetPrefix(CidrBlock.of(vpcCidr).orElseThrow());
    }

    private static void checkNames(List<Fault> faults, String domain, String email) {
        if (domain == null) {
            faults.add(new Fault("domain", "is missing", null, WANTED_DOMAIN));
        } else if (HostName.of(domain).orElse(domain).toLowerCase(Locale.ROOT).startsWith("www.")) {
            faults.add(new Fault("domain", "is not an apex", domain, WANTED_DOMAIN + "; the site adds www. to it"));
        } else {
            // What www. is put before has to stay a host name.
            boolean valid = HostName.of(domain)
                    .flatMap(name -> HostName.of("www." + name))
                    .isPresent();
            check(faults, "domain", domain, name -> valid, HostName.problem(domain), WANTED_DOMAIN);
        }
        if (email == null) {
            faults.add(new Fault("email", "is missing", null, WANTED_EMAIL));
        } else {
            check(faults, "email", email, Settings::isAddress, "is not an e-mail address", WANTED_EMAIL);
            check(
                    faults,
                    "email",
                    email,
                    address -> !address.startsWith("-"),
                    "begins with -, which certbot takes for an option",
                    WANTED_EMAIL);
            check(
                    faults,
                    "email",
                    email,
                    address -> !address.contains("{{") && !address.contains("}}"),
                    "holds {{ or }}, which Swarm takes for a template",
                    WANTED_EMAIL);
        }
    }

    private static boolean isAddress(String email) {
        return email.length() <= 254
                && email.indexOf('@') > 0
                && MAILBOX.matcher(mailbox(email)).matches()
                && HostName.of(mailDomain(email)).isPresent();
    }

    private static String mailbox(String email) {
        return email.substring(0, email.lastIndexOf('@'));
    }

    private static String mailDomain(String email) {
        return email.substring(email.lastIndexOf('@') + 1);
    }

    private static void checkInstanceType(List<Fault> faults, String key, String type, String example) {
        String wanted = "a type such as " + example;
        if (!INSTANCE_TYPE.matcher(type).matches()) {
            faults.add(new Fault(key, "is not an instance type", type, wanted));
        } else if (UNFIT_TYPE.matcher(type).matches()) {
            faults.add(new Fault(key, "is a type that a network load balancer or Linux cannot take", type, wanted));
        } else if (type.endsWith(".nano")) {
            faults.add(
                    new Fault(key, "has too little memory to install packages", type, wanted + " (micro or larger)"));
        }
    }

    private static void range(List<Fault> faults, String key, int value, int least, int most, String wanted) {
        if (value < least || value > most) {
            faults.add(new Fault(key, "is out of range", value, wanted));
        }
    }

    private static void check(
            List<Fault> faults, String key, String value, Predicate<String> valid, String problem, String wanted) {
        if (!valid.test(value)) {
            faults.add(new Fault(key, problem, value, wanted));
        }
    }
}
