package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.CloudAssembly;
import dev.twinhost.rehearsal.assembly.FileAsset;
import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.dns.DnsConfiguration;
import dev.twinhost.rehearsal.system.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All that the rehearsal plays, read from the assembly; what it cannot play has been refused by name. */
public final class Site {
    private final CloudAssembly assembly;
    private final Intrinsics intrinsics;
    private final Vpc vpc;
    private final List<SecurityGroup> securityGroups;
    private final Balancer balancer;
    private final List<MachineGroup> machineGroups;
    private final List<DnsRecord> records;
    private final Map<String, String> parameters;
    private final String fileSystem;
    private final ReleaseSettings release;
    private final Optional<Association> association;
    private final Optional<WaitCondition> waitCondition;

    private Site(CloudAssembly assembly) {
        this.assembly = assembly;
        Template template = assembly.template();
        NotPlayed.refuseUnknown(template);
        intrinsics = new Intrinsics(template, assembly.place());
        NetworkReader network = new NetworkReader(template, intrinsics);
        vpc = network.vpc();
        securityGroups = network.securityGroups();
        balancer = new BalancerReader(template, intrinsics).balancer(vpc);
        machineGroups = new MachinesReader(template, intrinsics).groups(vpc);
        records = readRecords(template);
        parameters = readParameters(template);
        fileSystem = readFileSystem(template);
        release = ReleaseSettings.of(assembly.assets());
        refuseNamesWithoutARecord();
        refuseARegistryAtAnotherAddress();
        association = new AssociationReader(template, intrinsics).association();
        waitCondition =
                WaitCondition.read(template, intrinsics, assembly.place().deploy());
    }

    public static Site read(Path assembly) {
        return new Site(CloudAssembly.read(assembly));
    }

    public Place place() {
        return assembly.place();
    }

    public Vpc vpc() {
        return vpc;
    }

    public List<SecurityGroup> securityGroups() {
        return securityGroups;
    }

    public Balancer balancer() {
        return balancer;
    }

    public List<MachineGroup> machineGroups() {
        return machineGroups;
    }

    public MachineGroup machineGroup(String id) {
        return machineGroups.stream()
                .filter(group -> group.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    public List<DnsRecord> records() {
        return records;
    }

    /** The names that visitors type. */
    public List<String> names() {
        return records.stream().map(DnsRecord::name).distinct().toList();
    }

    /** The name under which the site answers; the others lead there. */
    public String mainName() {
        return names().stream()
                .filter(name -> name.startsWith("www."))
                .findFirst()
                .orElse(names().get(0));
    }

    /** Values of the SSM parameters, by name. */
    public Map<String, String> parameters() {
        return parameters;
    }

    public String fileSystem() {
        return fileSystem;
    }

    public ReleaseSettings release() {
        return release;
    }

    /** What brings a release to the machines; none where the template has none. */
    public Optional<Association> association() {
        return association;
    }

    /** What a deploy of this template waits for at its end; none where the template has none. */
    public Optional<WaitCondition> waitCondition() {
        return waitCondition;
    }

    public Template template() {
        return assembly.template();
    }

    public List<FileAsset> assets() {
        return assembly.assets();
    }

    /** A line on how much of the template this is. */
    public String summary() {
        long notPlayed = assembly.template().resources().stream()
                .filter(resource -> NotPlayed.REASONS.containsKey(resource.type()))
                .count();
        long played = assembly.template().resources().size() - notPlayed;
        return played + " resources to play; " + notPlayed + " knowingly not: "
                + String.join(", ", NotPlayed.in(assembly.template()));
    }

    private List<DnsRecord> readRecords(Template template) {
        List<DnsRecord> found = new ArrayList<>();
        for (Resource resource : template.ofType("AWS::Route53::RecordSet")) {
            Properties record = new Properties(intrinsics, resource);
            String name = withoutDot(record.text("Name"));
            String type = record.oneOf("Type", "", "A", "CNAME", "CAA");
            if (record.has("AliasTarget")) {
                Properties alias = record.object("AliasTarget");
                String target = withoutDot(alias.text("DNSName"));
                if (!target.equals(balancer.dnsName())) {
                    // A name with dualstack. before it is that of the other kinds of balancers:
                    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-to-elb-load-balancer.html
                    throw record.unplayable("AliasTarget.DNSName = " + target
                            + "; it plays an alias to the network load balancer's own name, " + balancer.dnsName());
                }
                alias.leave("HostedZoneId", "EvaluateTargetHealth");
                alias.end();
                found.add(new DnsRecord(name, DnsRecord.Kind.ALIAS, List.of(target)));
            } else {
                found.add(new DnsRecord(
                        name,
                        type.equals("A") ? DnsRecord.Kind.ADDRESS : DnsRecord.Kind.valueOf(type),
                        record.texts("ResourceRecords").stream()
                                .map(Site::withoutDot)
                                .toList()));
            }
            record.leave("Comment", "HostedZoneId", "HostedZoneName", "SetIdentifier", "TTL", "Weight");
            record.end();
        }
        if (found.isEmpty()) {
            throw new Failure(
                    "The template has no DNS records, so no visitor would find the site: rehearse it with -c dns=all.");
        }
        return found;
    }

    private void refuseNamesWithoutARecord() {
        List<String> missing = new ArrayList<>(release.extraDomains());
        missing.removeAll(names());
        if (!missing.isEmpty()) {
            throw new Failure("extraDomains " + String.join(", ", missing)
                    + ": the rehearsal cannot play it, as only the template's records are in its DNS;"
                    + " rehearse the site with -c extraDomains=, or with names under the domain");
        }
    }

    private void refuseARegistryAtAnotherAddress() {
        release.appImage()
                .filter(image -> names().contains(image.host()) || DnsConfiguration.AUTHORITIES.contains(image.host()))
                .ifPresent(image -> {
                    throw new Failure("appImage " + image + ": the rehearsal cannot play a registry at " + image.host()
                            + ", which leads elsewhere");
                });
    }

    private Map<String, String> readParameters(Template template) {
        Map<String, String> found = new LinkedHashMap<>();
        for (Resource resource : template.ofType("AWS::SSM::Parameter")) {
            Properties parameter = new Properties(intrinsics, resource);
            parameter.oneOf("Type", "", "String");
            String name = parameter.text("Name", intrinsics.idOf(resource));
            found.put(name, parameter.text("Value"));
            parameter.leave("Description", "Tags", "Tier");
            parameter.end();
        }
        return found;
    }

    private String readFileSystem(Template template) {
        Resource resource = template.only("AWS::EFS::FileSystem");
        Properties fileSystem = new Properties(intrinsics, resource);
        fileSystem.leave(
                "BackupPolicy",
                "Encrypted",
                "FileSystemPolicy",
                "FileSystemTags",
                "KmsKeyId",
                "LifecyclePolicies",
                "PerformanceMode",
                "ProvisionedThroughputInMibps",
                "ThroughputMode");
        fileSystem.end();
        return intrinsics.idOf(resource);
    }

    private static String withoutDot(String name) {
        return name.replaceFirst("\\.$", "");
    }
}
