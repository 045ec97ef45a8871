package Tomo::Test::PowerCut;

# What a power cut would have left of a folder. strace writes down every write,
# sync, name and sync of a name that an edge's workers made; then the folder is
# built again as it stood on the disk at a chosen moment: from what was there
# before, with nothing but the bytes and names that a completed sync covers.
#
#   my $cut = Tomo::Test::PowerCut->watch($edge);     # before the load
#   ... load ...
#   $cut->stop;
#   $cut->rebuild($cut->moment, $folder);             # all that was not synced
#   $cut->rebuild($cut->moment, $folder, torn => 1);  # is gone, or torn

use strict;
use warnings;
use File::Path ();
use Tomo::Test ();
use Tomo::Test::Strace;

my $CALLS = 'pwrite64,write,fdatasync,fsync,openat,rename,ftruncate,mkdir,unlink,rmdir';

sub watch {
    my ($class, $edge) = @_;
    my $self = bless { root => $edge->journal }, $class;
    $self->{trace} = Tomo::Test::Strace->start($edge,
        args => ['-y', '-s', 4_000_000, '-e', "trace=$CALLS"]);
    my %before;
    for my $file (_files($self->{root})) {
        $before{$file} = -d "$self->{root}/$file" ? undef
            : Tomo::Test::read_file("$self->{root}/$file");
    }
    $self->{before} = \%before;
    return $self;
}

# Every file and folder below, by its path from there.
sub _files {
    my ($root) = @_;
    my @found;
    my @open = ('');
    while (defined(my $at = shift @open)) {
        for my $path (glob "$root/$at*") {
            my $name = substr $path, length("$root/");
            push @found, $name;
            push @open, "$name/" if -d $path;
        }
    }
    return @found;
}

sub stop {
    my ($self) = @_;
    $self->{trace}->stop('INT');
    $self->_parse;
    return;
}

sub _bytes {
    my ($text) = @_;
    my %short = (n => "\n", t => "\t", r => "\r", v => "\013", f => "\f");
    $text =~ s/\\(?:([0-7]{1,3})|(.))/defined $1 ? chr oct $1 : $short{$2} \/\/ $2/gse;
    return $text;
}

# The calls in the order of their ends: { call, args, begin, end (line numbers),
# time }, failed ones left out.
sub _calls {
    my ($self) = @_;
    my (@calls, %open, $n);
    open my $in, '<:raw', $self->{trace}{trace} or die "trace: $!\n";
    while (my $line = <$in>) {
        $n++;
        my ($thread, $time, $rest) = $line =~ /^(\d+) +([\d.]+) (.*)$/s or next;
        if ($rest =~ /^(\w+)\((.*) <unfinished \.\.\.>$/s) {
            $open{$thread} = { call => $1, args => $2, begin => $n };
        } elsif ($rest =~ /^<\.\.\. \w+ resumed>(.*)\) += (-?\d+)/s) {
            my $call = delete $open{$thread} or next;
            push @calls, { %$call, args => "$call->{args}$1", end => $n, time => $time }
                if $2 >= 0;
        } elsif ($rest =~ /^(\w+)\((.*)\) += (-?\d+)/s) {
            push @calls, { call => $1, args => $2, begin => $n, end => $n, time => $time }
                if $3 >= 0;
        }
    }
    return @calls;
}

# Each write and each name gets the line after which a power cut spares it.
sub _parse {
    my ($self) = @_;
    my $root = quotemeta $self->{root};
    my (%file, @names, @writes, $made);
    for my $path (sort keys %{ $self->{before} }) {
        $file{$path} = { id => ++$made, bytes => $self->{before}{$path} };
    }
    $self->{start} = { map { $_ => $file{$_} } keys %file };
    my $note = sub {
        my ($call, $path, %more) = @_;
        (my $folder = $path) =~ s{/?[^/]*$}{};
        push @names, { %more, path => $path, folder => $folder, end => $call->{end},
            time => $call->{time} };
    };
    for my $c ($self->_calls) {
        my $a = $c->{args};
        if ($c->{call} =~ /^p?write/ && $a =~ /^\d+<$root\/([^>]+)>, "(.*)", (\d+)(?:, (\d+))?$/s) {
            my ($path, $bytes, $at) = ($1, _bytes($2), $4);
            my $f = $file{$path} or next;
            $at //= $f->{written} // 0;
            $f->{written} = $at + length $bytes;
            push @writes, { file => $f, at => $at, bytes => $bytes, end => $c->{end},
                time => $c->{time} };
        } elsif ($c->{call} =~ /sync/ && $a =~ /^\d+<$root\/?([^>]*)>/) {
            my $path = $1;
            my $f = $file{$path};
            for my $w (@writes, @names) {
                next if defined $w->{safe} || $w->{end} > $c->{begin};
                $w->{safe} = $c->{end}
                    if $w->{file} ? $f && $w->{file} == $f : $w->{folder} eq $path;
            }
        } elsif ($c->{call} eq 'openat' && $a =~ /"$root\/([^"]+)".*O_CREAT/) {
            next if $file{$1};
            $file{$1} = { id => ++$made, bytes => '' };
            $note->($c, $1, add => $file{$1});
        } elsif ($c->{call} eq 'mkdir' && $a =~ /"$root\/([^"]+)"/) {
            $file{$1} = { id => ++$made };
            $note->($c, $1, add => $file{$1});
        } elsif ($c->{call} eq 'rename' && $a =~ /"$root\/([^"]+)", "$root\/([^"]+)"/) {
            my $f = $file{$2} = delete $file{$1};
            $note->($c, $2, add => $f, gone => $1);
        } elsif ($c->{call} =~ /^(?:unlink|rmdir)$/ && $a =~ /"$root\/([^"]+)"/) {
            delete $file{$1};
            $note->($c, $1, gone => $1);
        }
    }
    @$self{qw(writes names)} = (\@writes, \@names);
    return;
}

# A random moment at which something was written and not yet synced: [line,
# time]. The last moment of all: end().
sub moment {
    my ($self) = @_;
    my $w = $self->{writes}[ rand @{ $self->{writes} } ];
    return [ $w->{end}, $w->{time} ];
}

sub end {
    my ($self) = @_;
    my ($line, $time) = (0, 0);
    for (@{ $self->{writes} }, @{ $self->{names} }) {
        ($line, $time) = ($_->{safe} // $_->{end}, $_->{time}) if ($_->{safe} // 0) >= $line;
    }
    return [ $line, $time ];
}

# Builds the folder as a power cut at that moment would have left it. torn: of
# each write that was not synced a random part from its start is there too.
# Returns how many writes were dropped or torn.
sub rebuild {
    my ($self, $moment, $folder, %o) = @_;
    my $cut   = $moment->[0];
    my %name  = %{ $self->{start} };
    for my $n (@{ $self->{names} }) {
        next if !defined $n->{safe} || $n->{safe} > $cut;
        delete $name{ $n->{gone} } if defined $n->{gone};
        $name{ $n->{path} } = $n->{add} if $n->{add};
    }
    my (%bytes, $lost);
    for my $path (keys %name) {
        $bytes{ $name{$path}{id} } = $name{$path}{bytes} if defined $name{$path}{bytes};
    }
    for my $w (@{ $self->{writes} }) {
        next if $w->{end} > $cut || !defined $bytes{ $w->{file}{id} };
        my $data = $w->{bytes};
        if (!defined $w->{safe} || $w->{safe} > $cut) {
            $lost++;
            next if !$o{torn};
            $data = substr $data, 0, int rand 1 + length $data;
        }
        my $to = \$bytes{ $w->{file}{id} };
        $$to .= "\0" x ($w->{at} - length $$to) if length $$to < $w->{at};
        substr $$to, $w->{at}, length $data, $data;
    }
    mkdir $folder, 0700;
    for my $path (sort keys %name) {
        my $id = $name{$path}{id};
        if (defined $bytes{$id}) {
            my ($parent) = $path =~ m{^(.*)/};
            File::Path::make_path("$folder/$parent", { mode => 0700 }) if defined $parent;
            Tomo::Test::write_file("$folder/$path", $bytes{$id}, 0600);
        } else {
            File::Path::make_path("$folder/$path", { mode => 0700 });
        }
    }
    utime time - 60, time - 60, "$folder/$_" for keys %name;
    return $lost // 0;
}

1;
