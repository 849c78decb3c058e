package dev.twinhost.rehearsal.aws;

/** How EC2 Auto Scaling answers. */
final class Scaling {
    private Scaling() {}

    static Answer answer(String action, String result) {
        return Xml.answer(
                200,
                "<" + action + "Response xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><" + action
                        + "Result>" + result + "</" + action
                        + "Result><ResponseMetadata><RequestId>rehearsal</RequestId></ResponseMetadata></" + action
                        + "Response>");
    }

    static AwsError invalid(String message) {
        return new AwsError(400, "ValidationError", message);
    }
}
