package Tomo::Test::Survey;

# A visitor without script: opens a survey's page, finds the form's fields in
# the HTML, fills them by question, and posts the form as a browser would.

use strict;
use warnings;
use Tomo::Test ();

sub decode {
    my ($text) = @_;
    my %named = (amp => '&', lt => '<', gt => '>', quot => '"');
    $text =~ s{&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));}
        { defined $1 ? chr $1 : defined $2 ? chr hex $2 : $named{$3} // '' }ge;
    return $text;
}

sub attributes {
    my ($tag) = @_;
    my %a;
    $a{ lc $1 } = decode($2 // $3 // '') while $tag =~ /([\w-]+)(?:="([^"]*)"|='([^']*)')?/g;
    return \%a;
}

sub open {
    my ($class, $port, $path) = @_;
    my $r = Tomo::Test::http_get($port, $path, 'User-Agent' => 'Mozilla/5.0 Line/15.12.1');
    die "survey $path: " . ($r ? $r->{status} : 'no answer') . "\n" if !$r || $r->{status} != 200;
    my $self = bless { port => $port, path => $path, html => $r->{body}, fixed => [], given => [] },
        $class;
    while ($r->{body} =~ /<(input|button)\b([^>]*)>/gi) {
        my $a = attributes($2);
        push @{ $self->{fixed} }, [ $a->{name}, $a->{value} // '' ]
            if defined $a->{name} && lc($a->{type} // '') eq 'hidden';
    }
    my ($form) = $r->{body} =~ /<form\b([^>]*)>/i;
    $self->{action} = attributes($form // '')->{action} || $path;
    return $self;
}

# One question: text, a date as YYYY-MM-DD, an option's id, or several.
sub fill {
    my ($self, $id, $value) = @_;
    my @date = ref $value ? () : $value =~ /^(\d{4})-(\d\d)-(\d\d)$/;
    if (@date && $self->{html} =~ /"q\.\Q$id\E\.y"/) {
        push @{ $self->{given} }, map { [ "q.$id." . (qw(y m d))[$_], $date[$_] + 0 ] } 0 .. 2;
        return;
    }
    die "no field q.$id in the page\n" if $self->{html} !~ /name="q\.\Q$id\E"/;
    push @{ $self->{given} }, [ "q.$id", $_ ] for ref $value ? @$value : $value;
    return;
}

sub encode {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    $text =~ s/\r?\n/\r\n/g;
    $text =~ s/([^A-Za-z0-9*._ -])/sprintf '%%%02X', ord $1/ge;
    $text =~ tr/ /+/;
    return $text;
}

sub post {
    my ($self) = @_;
    my $body = join '&', map { encode($_->[0]) . '=' . encode($_->[1]) }
        @{ $self->{fixed} }, @{ $self->{given} };
    return Tomo::Test::http_post(
        $self->{port}, $self->{action}, $body,
        'Content-Type' => 'application/x-www-form-urlencoded',
        'User-Agent'   => 'Mozilla/5.0 Line/15.12.1',
        'Origin'       => "http://127.0.0.1:$self->{port}",
        'Host'         => "127.0.0.1:$self->{port}",
    );
}

1;
