import java.io.IOException;

/** What Java's ways to start a program give back: java Starts WHAT. */
public class Starts {
    static int run(String... command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    static void output() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "echo out; echo err >&2; cat; exit 7").redirectErrorStream(true).start();
        process.getOutputStream().write("in\n".getBytes());
        process.getOutputStream().close();
        System.out.print(new String(process.getInputStream().readAllBytes()));
        System.out.println(process.waitFor());
    }

    static void missing() throws Exception {
        for (String program : new String[] {"/no/such/program", "no-such-program", "/etc/passwd", "/tmp"}) {
            try {
                run(program);
            } catch (IOException problem) {
                System.out.println(problem.getMessage());
            }
        }
    }

    static void surroundings() throws Exception {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", "pwd; echo $NAME").inheritIO();
        builder.directory(new java.io.File("/usr"));
        builder.environment().put("NAME", "value");
        System.out.println(builder.start().waitFor());
        System.out.println(run("sh", "-c", "kill -KILL $$"));
        System.out.println(Runtime.getRuntime().exec(new String[] {"false"}).waitFor());
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "output" -> output();
            case "missing" -> missing();
            case "surroundings" -> surroundings();
            default -> System.exit(run(arguments[0]));
        }
    }
}
